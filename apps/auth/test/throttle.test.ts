// How often strangers may try the ways in, and whom that keeps out. One file, because all of it runs on two nodes whose clock
// stands still.
import { randomBytes } from 'node:crypto'
import { hash } from '@node-rs/argon2'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { passwordTurns } from '../src/accounts/password.ts'
import { createPasswordLink } from '../src/accounts/password-link.ts'
import { LIMITS, SIZES } from '../src/service-limits.ts'
import { createRateLimiter } from '../src/web/rate-limit.ts'
import { CHEAP, fillSignIn, makeAccount, PASSWORD } from './support/people.ts'
import { hiddenField, type Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

let test: TestDatabase
let nodes: [Stack, Stack]
beforeAll(async () => {
  // The clock stands still shortly after a window began, so that no test runs over the edge of one.
  const hourMs = 3_600_000
  vi.useFakeTimers({ toFake: ['Date'], now: Math.floor(Date.now() / hourMs) * hourMs + 1000 })
  test = await testDatabase()
  await test.followDate()
  const settings = { RATE_LIMITS: 'on', TRUST_PROXY: '1', OPERATOR_KEY: randomBytes(32).toString('base64url') }
  nodes = [await startStack({ test, settings }), await startStack({ test, settings })]
})
afterAll(async () => {
  for (const node of nodes) await node.close()
  await test.close()
  vi.useRealTimers()
})

/** A sign-in from one address, as a proxy in front of the node reports it. */
async function trySignIn(person: Person, email: string, password: string, address: string) {
  const { html } = await person.get('/sign-in')
  const fields: [string, string][] = [
    ['csrf', hiddenField(html, 'csrf')],
    ['email', email],
    ['password', password],
  ]
  return person.post('/sign-in', fields, { 'sec-fetch-site': 'same-origin', 'x-forwarded-for': address })
}

/** The browser stays known. */
async function signOut(person: Person) {
  const { html } = await person.get('/settings/api')
  await person.post('/sign-out', [['csrf', hiddenField(html, 'csrf')]])
}

describe('throttled sign-in', () => {
  it('stops guessing at an account from one address, on all nodes together, alike whether the account exists', async () => {
    const { email } = await makeAccount(nodes[0])
    for (const tried of [email, 'nobody@example.com']) {
      const statuses: number[] = []
      for (let round = 0; round < LIMITS.signIn.hits + 2; round += 1) {
        const node = nodes[round % 2] ?? nodes[0]
        statuses.push((await trySignIn(await node.person(), tried, 'wrong', '203.0.113.1')).status)
      }
      expect(statuses).toEqual([...Array(LIMITS.signIn.hits).fill(422), 429, 429])
    }
    const refused = await trySignIn(await nodes[1].person(), email, PASSWORD, '203.0.113.1')
    expect(refused.status).toBe(429)
    // How long, and what was typed: the page is the form again.
    expect(refused.html).toMatch(/Please wait \d+ (seconds|minutes?), then try again\./)
    expect(refused.html).toContain(`name="email" value="${email}"`)
    expect(refused.html).not.toContain(PASSWORD)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(LIMITS.signIn.seconds)
    expect((await trySignIn(await nodes[1].person(), email, PASSWORD, '203.0.113.2')).status).toBe(303)
  })

  it('forgets the mistakes of whoever then knows the password', async () => {
    const { email } = await makeAccount(nodes[0])
    // More mistakes in both rounds together than are let through in one window.
    for (let round = 0; round < 2; round += 1) {
      for (let wrong = 0; wrong < LIMITS.signIn.hits - 1; wrong += 1) {
        expect((await trySignIn(await nodes[0].person(), email, 'wrong', '203.0.113.3')).status).toBe(422)
      }
      expect((await trySignIn(await nodes[0].person(), email, PASSWORD, '203.0.113.3')).status).toBe(303)
    }
  })

  it('does not let a crowd of addresses keep the owner out of any browser, new or known', async () => {
    const { email } = await makeAccount(nodes[0])
    const owner = await nodes[0].person()
    expect((await fillSignIn(owner, { email })).status).toBe(303)
    await signOut(owner)

    await overflow('signInAccount', email, LIMITS.signInAccount.hits - 2)
    const crowd = new Set<number>()
    for (let round = 0; round < 5; round += 1) {
      crowd.add((await trySignIn(await nodes[0].person(), email, 'wrong', `198.51.100.${round}`)).status)
    }
    expect([...crowd]).toEqual([422])
    expect((await trySignIn(await nodes[1].person(), email, PASSWORD, '198.51.100.200')).status).toBe(303)
    expect((await fillSignIn(owner, { email })).status).toBe(303)
  })

  it('does not let neighbours at one address keep the owner out of a known browser there', async () => {
    const address = '203.0.113.80'
    const { email } = await makeAccount(nodes[0])
    const owner = await nodes[0].person()
    expect((await trySignIn(owner, email, PASSWORD, address)).status).toBe(303)
    await signOut(owner)

    await overflow('signInAddress', address)
    expect((await trySignIn(await nodes[0].person(), email, PASSWORD, address)).status).toBe(429)
    expect((await trySignIn(owner, email, 'wrong', address)).status).toBe(422)
    // As many as the whole address may have are all that known browsers of one account have there.
    await overflow('signInAddress', `${email}\n${address}`)
    expect((await trySignIn(owner, email, PASSWORD, address)).status).toBe(429)
  })

  it('locks the pair of account and IPv6 network, however many addresses it has, and no other', async () => {
    const { email } = await makeAccount(nodes[0])
    for (let host = 1; host <= LIMITS.signIn.hits; host += 1) {
      expect((await trySignIn(await nodes[0].person(), email, 'wrong', `2001:db8:1:2::${host}`)).status).toBe(422)
    }
    expect((await trySignIn(await nodes[0].person(), email, PASSWORD, '2001:db8:1:2:aaaa::1')).status).toBe(429)
    expect((await trySignIn(await nodes[0].person(), email, PASSWORD, '2001:db8:1:3::1')).status).toBe(303)
  })

  it('lets one line of an IPv6 network use up its own tries and none of its neighbours', async () => {
    const { email } = await makeAccount(nodes[0])
    const guesser = await nodes[0].person()
    const csrf = hiddenField((await guesser.get('/sign-in')).html, 'csrf')
    // One try is left to the line, and two to the network.
    await overflow('signIn', `${email}\n2001:db8:4:1::/64`, LIMITS.signIn.hits - 1)
    await overflow('signIn', `${email}\n2001:db8:4::/48`, LIMITS.signIn.network - 2)
    const headers = { 'sec-fetch-site': 'same-origin', 'x-forwarded-for': '2001:db8:4:1::1' }
    const fields = Object.entries({ csrf, email, password: 'wrong' })
    const guesses = await Promise.all(Array.from({ length: 5 }, () => guesser.post('/sign-in', fields, headers)))
    expect(guesses.map(({ status }) => status).sort()).toEqual([422, 429, 429, 429, 429])
    expect((await trySignIn(await nodes[1].person(), email, PASSWORD, '2001:db8:4:2::1')).status).toBe(303)
  })

  it('takes the mark of a known browser for its own account only', async () => {
    const [mine, victim] = [await makeAccount(nodes[0]), await makeAccount(nodes[0])]
    const attacker = await nodes[0].person()
    await fillSignIn(attacker, { email: mine.email })
    const { html } = await attacker.get('/settings/api')
    await attacker.post('/sign-out', [['csrf', hiddenField(html, 'csrf')]])
    for (let round = 0; round < LIMITS.signIn.hits; round += 1) {
      await trySignIn(attacker, victim.email, 'wrong', '203.0.113.77')
    }
    expect((await trySignIn(attacker, victim.email, 'wrong', '203.0.113.77')).status).toBe(429)
  })

  it('counts in one window on nodes whose clocks are apart: the database says which', async () => {
    const limiter = createRateLimiter({ db: test.db, enabled: true })
    const subject = { about: 'a subject of its own', address: '203.0.113.90' }
    for (let hit = 0; hit < LIMITS.token.hits; hit += 1) await limiter.hit('token', subject)
    const now = Date.now()
    for (const aheadMs of [-45_000, 45_000]) {
      vi.setSystemTime(now + aheadMs)
      await test.followDate(-aheadMs)
      const verdict = await limiter.look('token', subject)
      expect(verdict).toEqual({ allowed: false, retryAfterSeconds: expect.any(Number) })
      expect(verdict.allowed || verdict.retryAfterSeconds).toBeLessThanOrEqual(LIMITS.token.seconds)
    }
    // The next window of the database is another one, whatever the node's clock says.
    vi.setSystemTime(now)
    await test.followDate(LIMITS.token.seconds * 1000)
    expect(await limiter.look('token', subject)).toEqual({ allowed: true })
    await test.followDate()
  })

  it('keeps addresses and email addresses out of the counters table', async () => {
    const rows = await test.db.rateCounter.findMany()
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows.map(({ key }) => key))).not.toMatch(/@|203\.0\.113|198\.51\.100/)
  })
})

/** A guess of a stranger in its turn, at a password that costs next to nothing: the places are what counts, not the work. */
const guessFrom = (address: string) =>
  passwordTurns.run({ name: `address ${address}`, isStranger: true }, () => hash('guess', CHEAP))

/** Strangers who guess at passwords, one guess of theirs after the other, until they are turned away or it ends. */
function makeCrowd() {
  let isOver = false
  const guesses: Promise<void>[] = []
  const crowd = {
    turnedAway: 0,
    join(address: string) {
      const guess = async () => {
        while (!isOver) await guessFrom(address)
      }
      const turnedAway = () => {
        crowd.turnedAway += 1
      }
      guesses.push(guess().catch(turnedAway))
    },
    /** Takes every place there is. */
    fill(addressOf: (place: number) => string) {
      const places = SIZES.passwordsAtOnce + SIZES.waitingPasswords
      for (let place = 0; place < places; place += 1) crowd.join(addressOf(place))
    },
    async end() {
      isOver = true
      await Promise.all(guesses)
    },
  }
  return crowd
}

describe('a crowd that guesses from one address', () => {
  const address = '203.0.113.7'
  const crowd = makeCrowd()
  beforeAll(() => crowd.fill(() => address))
  afterAll(crowd.end)

  it('keeps nobody at another address from signing in, however many wait', async () => {
    const { email } = await makeAccount(nodes[0])
    const browser = await nodes[0].person()
    const late = await guessFrom(address).catch(({ statusCode }) => statusCode)
    const { status } = await trySignIn(browser, email, PASSWORD, '203.0.113.8')
    expect({ late, status, lost: crowd.turnedAway }).toEqual({ late: 503, status: 303, lost: 1 })
    crowd.join(address)
  })

  it('takes from an account that too many guess at no guess that was not counted there', async () => {
    const { email } = await makeAccount(nodes[0])
    const limiter = createRateLimiter({ db: test.db, enabled: true })
    while ((await limiter.hit('signInAccount', { about: email })).allowed);
    const { status } = await trySignIn(await nodes[0].person(), email, PASSWORD, address)
    const { allowed } = await limiter.look('signInAccount', { about: email })
    expect({ status, allowed }).toEqual({ status: 503, allowed: false })
  })

  it('uses up no tries of an owner there, whose password nobody came to look at', async () => {
    const { email } = await makeAccount(nodes[0])
    const busy: number[] = []
    for (let round = 0; round <= LIMITS.signIn.hits; round += 1) {
      busy.push((await trySignIn(await nodes[0].person(), email, PASSWORD, address)).status)
    }
    await crowd.end()
    const right = await trySignIn(await nodes[0].person(), email, PASSWORD, address)
    expect({ busy: [...new Set(busy)], right: right.status }).toEqual({ busy: [503], right: 303 })
  })
})

describe('a crowd that guesses from as many addresses as there are places', () => {
  const crowd = makeCrowd()
  afterAll(crowd.end)

  it('keeps nobody out of a browser that is known', async () => {
    const { email } = await makeAccount(nodes[0])
    const known = await nodes[0].person()
    await trySignIn(known, email, PASSWORD, '203.0.113.11')
    await signOut(known)
    crowd.fill((place) => `crowd ${place}`)
    const strange = await trySignIn(await nodes[0].person(), email, PASSWORD, '203.0.113.11')
    const { status } = await trySignIn(known, email, PASSWORD, '203.0.113.11')
    expect({ strange: strange.status, status, lost: crowd.turnedAway }).toEqual({ strange: 503, status: 303, lost: 1 })
  })
})

describe('a password link', () => {
  const address = '203.0.113.81'
  const setPassword = async (person: Person, link: string, password = 'an orchard behind seven hills') => {
    const csrf = hiddenField((await person.get('/sign-in')).html, 'csrf')
    const fields = Object.entries({ csrf, link, password })
    return person.post('/set-password', fields, { 'sec-fetch-site': 'same-origin', 'x-forwarded-for': address })
  }
  const newLink = async () => {
    const { email } = await makeAccount(nodes[0])
    const made = await createPasswordLink(test.db, { issuerUrl: nodes[0].issuer, email, hours: 1, now: new Date() })
    return { email, link: new URL(made).searchParams.get('link') ?? '' }
  }

  it('is good though neighbours at its address sent many that are not, or one of theirs again and again', async () => {
    const neighbour = await nodes[0].person()
    const { link: theirs } = await newLink()
    for (let round = 0; round < LIMITS.setPassword.hits; round += 1) {
      expect((await setPassword(neighbour, `no link of ours ${round}`)).status).toBe(410)
      expect((await setPassword(neighbour, theirs, 'short')).status).toBe(422)
    }
    expect((await setPassword(neighbour, theirs)).status).toBe(429)
    expect((await setPassword(await nodes[1].person(), (await newLink()).link)).status).toBe(303)
  })

  it('is counted itself, and whoever has to wait has its own form again, beside that of a later link', async () => {
    const [{ email, link }, later] = [await newLink(), await newLink()]
    const person = await nodes[1].person()
    for (const one of [link, later.link]) expect((await person.open(`/set-password?link=${one}`)).status).toBe(200)
    await overflow('setPassword', email)
    const refused = await setPassword(person, link)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused.html).toMatch(/Please wait \d+ (seconds|minutes?), then try again\./)
    expect(hiddenField(refused.html, 'link')).toBe(link)
    expect(refused.html).toContain(`<strong class="name">${email}</strong>`)
    expect(refused.html).not.toContain('an orchard')
  })
})

describe('a passkey', () => {
  it('is taken whatever neighbours at its address sent of none of ours or of their own, and is counted itself', async () => {
    const address = '203.0.113.82'
    const passkeyOf = async (id: string) => {
      const { id: accountId } = await makeAccount(nodes[0])
      const row = { id, accountId, name: 'Key', publicKey: Buffer.alloc(1), counter: 0n }
      await test.db.passkey.create({ data: { ...row, transports: [], createdAt: new Date() } })
    }
    await passkeyOf('of-an-owner')
    await passkeyOf('of-a-neighbour')
    const person = await nodes[0].person()
    const csrf = hiddenField((await person.get('/sign-in')).html, 'csrf')
    const answer = async (id: string, from = address) => {
      const fields = Object.entries({ csrf, credential: JSON.stringify({ id, response: {} }) })
      const headers = { 'sec-fetch-site': 'same-origin', 'x-forwarded-for': from }
      return (await person.post('/sign-in/passkey', fields, headers)).status
    }
    for (let round = 0; round < LIMITS.passkey.hits; round += 1) {
      expect([await answer('of-a-neighbour'), await answer('of-nobody')]).toEqual([422, 422])
    }
    expect([await answer('of-a-neighbour'), await answer('of-nobody')]).toEqual([429, 422])
    expect(await answer('of-an-owner')).toBe(422)
    // Whoever knows its name keeps its owner from it at one address.
    expect(await answer('of-a-neighbour', '203.0.113.83')).toBe(422)
  })
})

describe('a try at an account that many are guessing at', () => {
  let slow: Stack
  beforeAll(async () => {
    const key = Buffer.from(nodes[0].env.OPERATOR_KEY).toString('base64url')
    slow = await startStack({
      test,
      settings: { RATE_LIMITS: 'on', TRUST_PROXY: '1', OPERATOR_KEY: key },
      signInDelayMs: 3_600_000,
    })
  })
  afterAll(() => slow?.close())

  it('waits in a bounded number, is let go when its browser goes, and holds up no other account', async () => {
    const [guessed, other] = [await makeAccount(slow), await makeAccount(slow)]
    for (const email of [guessed.email, 'nobody-here@example.com']) {
      await overflow('signInAccount', email)
      const people = await Promise.all(Array.from({ length: SIZES.waitingSignInsOfPair + 1 }, () => slow.person()))
      const gone = new AbortController()
      const tries = people.map(async (person) => {
        const { html } = await person.get('/sign-in')
        const body = new URLSearchParams({ csrf: hiddenField(html, 'csrf'), email, password: PASSWORD })
        const headers = {
          cookie: person.cookieHeader('/sign-in'),
          'sec-fetch-site': 'same-origin',
          'x-forwarded-for': '203.0.113.50',
        }
        return (await fetch(`${slow.issuer}/sign-in`, { method: 'POST', body, headers, signal: gone.signal })).status
      })
      // All but one wait for an hour; the one too many is told at once.
      expect(await Promise.race(tries)).toBe(429)
      expect((await trySignIn(await slow.person(), other.email, PASSWORD, '203.0.113.51')).status).toBe(303)
      gone.abort()
      expect((await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    }
  })
})

/** Sets a counter of this moment's window, to its ceiling unless told, as if the tries had come. */
async function overflow(
  name: 'signIn' | 'signInAccount' | 'signInAddress' | 'setPassword',
  subject: string,
  hits: number = LIMITS[name].hits,
): Promise<void> {
  const windowMs = LIMITS[name].seconds * 1000
  const windowAt = new Date(Math.floor(Date.now() / windowMs) * windowMs)
  const key = `${name}:${Buffer.from(hashToken(subject)).toString('base64url')}`
  const counted = { hits, expiresAt: new Date(windowAt.getTime() + windowMs) }
  const where = { key_windowAt: { key, windowAt } }
  await test.db.rateCounter.upsert({ where, create: { key, windowAt, ...counted }, update: counted })
}
