// Passkeys from the answer of an authenticator to the row, and what is refused on the way.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../src/service-limits.ts'
import { androidKeyStatement, selfStatement } from './support/attestation.ts'
import { type Attest, Authenticator } from './support/authenticator.ts'
import { realTime, untilWindow } from './support/clock.ts'
import { Gate } from './support/gate.ts'
import { newSignedIn, PASSWORD } from './support/people.ts'
import { hiddenField } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const optionsOn = (html: string) => /data-options="([^"]*)"/.exec(html)?.[1]?.replaceAll('&quot;', '"') ?? ''

/** A passkey of somebody new, its row, and visitors of the sign-in page who send what it answers to the options there. */
async function withPasskey(stack: Stack, counts: readonly number[] = []) {
  const { account, person } = await newSignedIn(stack)
  const authenticator = new Authenticator(stack.issuer, (use) => counts[use - 1] ?? use)
  const page = await person.get('/settings/passkeys')
  await person.post('/settings/passkeys', [
    ['csrf', hiddenField(page.html, 'csrf')],
    ['password', PASSWORD],
    ['name', `${'x'.repeat(59)}\u{1f511}y`],
    ['credential', authenticator.create(optionsOn(page.html))],
  ])
  const visitor = async () => {
    const stranger = await stack.person()
    const { html } = await stranger.get('/sign-in')
    const csrf = hiddenField(html, 'csrf')
    const send = async (credential: string) =>
      (await stranger.post('/sign-in/passkey', Object.entries({ csrf, credential }))).status
    return { options: optionsOn(html), send }
  }
  const row = () => stack.db.passkey.findFirstOrThrow({ where: { accountId: account.id } })
  return { authenticator, visitor, row }
}

describe('passkeys', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack()
  })
  afterAll(() => stack.close())

  it('are added some times an hour, for each is a mail to its owner', async () => {
    const strict = await startStack({ settings: { RATE_LIMITS: 'on' } })
    try {
      await untilWindow(LIMITS.passkeyAddition.seconds, strict)
      const { person } = await newSignedIn(strict)
      const csrf = hiddenField((await person.get('/settings/passkeys')).html, 'csrf')
      const add = (password: string) =>
        person.post('/settings/passkeys', Object.entries({ csrf, password, credential: '{}' }))
      expect((await add('not the password')).status).toBe(422)
      for (let at = 0; at < LIMITS.passkeyAddition.hits; at += 1) expect((await add(PASSWORD)).status).toBe(422)
      const refused = await add(PASSWORD)
      expect(refused.status).toBe(429)
      // The way on is the page of the form.
      expect(refused.html).toContain('href="/settings/passkeys"')
    } finally {
      await realTime(strict)
      await strict.close()
    }
  })

  it.each(['', '{}', 'null', '{"id":"x"}', '{"id":"x","response":{}}', `{"id":"${'x'.repeat(2000)}","response":{}}`])(
    'are refused when the answer is %j',
    async (credential) => {
      const person = await stack.person()
      const csrf = hiddenField((await person.get('/sign-in')).html, 'csrf')
      const answer = await person.post('/sign-in/passkey', [
        ['csrf', csrf],
        ['credential', credential],
      ])
      expect(answer.status).toBe(422)
      expect(answer.html).toContain('That passkey was not accepted.')
    },
  )

  /** A passkey of somebody new, whose answer says of itself what it is told to; and the status of each answer. */
  async function saying(said: { readonly transports?: unknown; readonly userHandle?: unknown }) {
    const { person } = await newSignedIn(stack)
    const authenticator = new Authenticator(stack.issuer)
    const answered = (json: string) => {
      const { response, ...rest } = JSON.parse(json)
      return JSON.stringify({ ...rest, response: { ...response, ...said } })
    }
    const page = await person.get('/settings/passkeys')
    const added = await person.post('/settings/passkeys', [
      ['csrf', hiddenField(page.html, 'csrf')],
      ['password', PASSWORD],
      ['credential', answered(authenticator.create(optionsOn(page.html)))],
    ])
    const stranger = await stack.person()
    const { html } = await stranger.get('/sign-in')
    const signedIn = await stranger.post('/sign-in/passkey', [
      ['csrf', hiddenField(html, 'csrf')],
      ['credential', answered(authenticator.get(optionsOn(html)))],
    ])
    return [added.status, signedIn.status]
  }

  it('sign in where the browser says by null that it does not know whose they are (WebAuthn §5.2.2)', async () => {
    expect(await saying({})).toEqual([303, 303])
    expect(await saying({ userHandle: null })).toEqual([303, 303])
  })

  it.each([[5], [{}], [[]], [''], ['QUJD']])('are refused when they are said to be of %j', async (userHandle) => {
    expect((await saying({ userHandle }))[1]).toBe(422)
  })

  it.each([
    ['[1]', [1]],
    ['a text', 'usb'],
    ['an object', { 0: 'usb' }],
  ])('are refused when they are reached by %s', async (_name, transports) => {
    expect(await saying({ transports })).toEqual([422, 422])
  })

  it('answer a challenge once, however it is spelled (WebAuthn §13.4.3)', async () => {
    const { authenticator, visitor } = await withPasskey(stack)
    const { options, send } = await visitor()
    const { challenge } = JSON.parse(options)
    expect(await send(authenticator.get(JSON.stringify({ challenge: `${challenge}=` })))).toBe(303)
    expect(await send(authenticator.get(options))).toBe(422)
  })

  it('have a name that is cut between two letters, and not through one', async () => {
    const { row } = await withPasskey(stack)
    expect((await row()).name).toBe(`${'x'.repeat(59)}\u{1f511}`)
  })

  describe('that say who made them', () => {
    async function added(attest: Attest) {
      const { account, person } = await newSignedIn(stack)
      const { html } = await person.get('/settings/passkeys')
      const { status } = await person.post('/settings/passkeys', [
        ['csrf', hiddenField(html, 'csrf')],
        ['password', PASSWORD],
        ['credential', new Authenticator(stack.issuer).create(optionsOn(html), attest)],
      ])
      return { status, passkeys: await stack.db.passkey.count({ where: { accountId: account.id } }) }
    }

    it('are refused, and no address in their certificates is asked for anything (WebAuthn §5.4.7)', async () => {
      const asked: (string | undefined)[] = []
      const elsewhere = createServer((request, response) => {
        asked.push(request.url)
        response.end()
      })
      await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
      const listUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/list`
      const refused = await added((key, about) => androidKeyStatement(key, { ...about, listUrl }))
      expect({ ...refused, asked }).toEqual({ status: 422, passkeys: 0, asked: [] })
      await new Promise((resolve) => elsewhere.close(resolve))
    })

    it('are taken where they say it by nothing but their own key (WebAuthn §8.2)', async () => {
      expect(await added(selfStatement)).toEqual({ status: 303, passkeys: 1 })
    })
  })
})

describe('the count of a passkey', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack()
  })
  afterAll(() => stack.close())

  it.each([
    ['may be 0 for ever, as of those that are synced', [0, 0, 0], [303, 303]],
    ['may begin after its making', [0, 1, 2], [303, 303]],
    ['may leave some out', [1, 7, 4_294_967_295], [303, 303]],
    ['must not end', [0, 1, 0], [303, 422]],
    ['must not stand still', [3, 3], [422]],
    ['must not go back', [3, 5, 4, 6], [303, 422, 303]],
  ])('%s (WebAuthn §7.2)', async (_name, counts, statuses) => {
    const { authenticator, visitor } = await withPasskey(stack, counts)
    const answers: number[] = []
    for (const _ of statuses) {
      const { options, send } = await visitor()
      answers.push(await send(authenticator.get(options)))
    }
    expect(answers).toEqual(statuses)
  })
})

it('a passkey that counts its uses signs in with no count that is not above the last, at once with it as after it (WebAuthn §7.2)', async () => {
  const gate = new Gate()
  const stack = await startStack({ db: (db) => gate.guard(db) })
  try {
    const { authenticator, visitor, row } = await withPasskey(stack)
    const [one, other] = [await visitor(), await visitor()]
    const [earlier, later] = [authenticator.get(one.options), authenticator.get(other.options)]
    const { counter } = await row()
    // What is counted earlier has been checked when what is counted later signs in.
    const { arrived, open } = gate.close()
    const late = one.send(earlier)
    await arrived
    expect(await other.send(later)).toBe(303)
    open()
    expect(await late).toBe(422)
    expect((await row()).counter).toBe(counter + 2n)
  } finally {
    await stack.close()
  }
})

describe('a challenge', () => {
  it("ends with its time by the database's clock, whatever the clock of a node says (WebAuthn §13.4.3)", async () => {
    const test = await testDatabase()
    const stack = await startStack({ test })
    try {
      const { account } = await newSignedIn(stack)
      const authenticator = new Authenticator(stack.issuer)
      const add = async (passesMs: number) => {
        const person = await stack.person(account.id)
        const { html } = await person.get('/settings/passkeys')
        await test.followDate(passesMs)
        return person.post('/settings/passkeys', [
          ['csrf', hiddenField(html, 'csrf')],
          ['password', PASSWORD],
          ['credential', authenticator.create(optionsOn(html))],
        ])
      }
      const signIn = async (passesMs: number) => {
        const stranger = await stack.person()
        const { html } = await stranger.get('/sign-in')
        await test.followDate(passesMs)
        return stranger.post('/sign-in/passkey', [
          ['csrf', hiddenField(html, 'csrf')],
          ['credential', authenticator.get(optionsOn(html))],
        ])
      }
      const MINUTE_MS = 60_000
      expect((await add(31 * MINUTE_MS)).status).toBe(422)
      expect((await add(60 * MINUTE_MS)).status).toBe(303)
      expect((await signIn(91 * MINUTE_MS)).status).toBe(422)
      expect((await signIn(120 * MINUTE_MS)).status).toBe(303)
    } finally {
      await stack.close()
      await test.close()
    }
  })
})
