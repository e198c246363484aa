import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { upstreamTokenContext } from '@vertexsms/contract/upstream-account'
import { open } from '@vertexsms/secrets/seal'
import { subkey } from '@vertexsms/secrets/subkey'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type InternalApiDouble, startInternalApi } from './support/internal-api.ts'
import { operator } from './support/operator.ts'
import { type Stack, startStack } from './support/stack.ts'

const TOKEN = 'canary-of-the-operators-token-9a8b'
let stack: Stack
let api: InternalApiDouble
let folder: string
let account: { id: string; email: string }

beforeAll(async () => {
  stack = await startStack()
  api = await startInternalApi(stack.env.OPERATOR_KEY)
  folder = mkdtempSync(join(tmpdir(), 'upstream-'))
})
afterAll(async () => {
  await api?.close()
  await stack?.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  account = await stack.account()
  Object.assign(api, { verdict: 'accepted', answer: null })
  api.asked.length = 0
})

const asking = () => ({ API_INTERNAL_URL: api.url })
const row = () => stack.db.upstreamAccount.findUniqueOrThrow({ where: { accountId: account.id } })
/** The stored token, as the API opens it. */
async function stored(): Promise<string | null> {
  const found = await row()
  const key = subkey(stack.env.OPERATOR_KEY, 'upstream-token')
  return found.sealedToken && open(key, found.sealedToken, upstreamTokenContext(found))
}
const set = (token: string, env: Record<string, string> = asking(), ...more: string[]) =>
  operator(stack, ['upstream-token', account.email, ...more], { input: `${token}\n`, env })

describe('the command upstream-token', () => {
  it('stores what comes on standard input once VertexSMS took it, and shows the last four characters alone', async () => {
    const { code, out, err } = await set(TOKEN)
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/last four 9a8b, set at \S+, taken by VertexSMS at/)
    expect(out).not.toContain(TOKEN)
    expect(api.asked).toEqual([{ accountId: account.id, token: TOKEN }])
    expect(api.seen.join('\n')).not.toContain(TOKEN)
    expect(await stored()).toBe(TOKEN)
    expect(await row()).toMatchObject({ generation: 1, lastFour: '9a8b', checkedAt: expect.any(Date) })
  })

  it('reads it from a file, and never from an argument', async () => {
    const file = join(folder, 'token')
    writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 })
    const unasked = ['upstream-token', account.email, '--file', file, '--check', 'off']
    expect((await operator(stack, unasked)).code).toBe(0)
    expect(await stored()).toBe(TOKEN)
    const argument = await operator(stack, ['upstream-token', account.email, TOKEN])
    expect(argument.code).toBe(2)
    expect(argument.err + argument.out).not.toContain(TOKEN)
    const missing = await operator(stack, ['upstream-token', account.email, '--file', join(folder, 'none')])
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('cannot be read') })
  })

  it('stores nothing that VertexSMS refuses, and nothing unasked but by the operator’s word', async () => {
    api.verdict = 'refused'
    expect(await set(TOKEN)).toMatchObject({ code: 1, err: expect.stringContaining('does not take this token') })
    api.verdict = 'not_asked'
    expect(await set(TOKEN)).toMatchObject({ code: 1, err: expect.stringContaining('could not be asked') })
    for (const answer of [
      { status: 500, body: 'Internal' },
      { status: 200, body: '{"verdict":"certainly"}' },
      { status: 302, body: '' },
    ]) {
      api.answer = answer
      expect((await set(TOKEN)).code).toBe(1)
    }
    // As little where it is not known whom to ask.
    expect(await set(TOKEN, {})).toMatchObject({ code: 1, err: expect.stringContaining('API_INTERNAL_URL') })
    expect(await stack.db.upstreamAccount.count({ where: { accountId: account.id } })).toBe(0)
    expect((await set(TOKEN, asking(), '--check', 'off')).out).toContain('not checked')
    expect(await row()).toMatchObject({ generation: 1, checkedAt: null })
  })

  it('begins a generation with another token, and none with the same one', async () => {
    await set(TOKEN, {}, '--check', 'off')
    expect((await set(TOKEN)).out).toContain('stored already')
    expect(await row()).toMatchObject({ generation: 1, checkedAt: expect.any(Date) })
    await set(`${TOKEN}-2`)
    expect(await row()).toMatchObject({ generation: 2, lastFour: '8b-2' })
    expect(await stored()).toBe(`${TOKEN}-2`)
  })

  it.each([
    ['nothing', ''],
    ['a token of this site', `vsms_${'x'.repeat(43)}`],
    ['two lines', 'first-token-0001\nsecond-token-0002'],
    ['what no header may hold', 'token-with-ümlaut-0001'],
    ['what is too short to be a secret', 'short'],
    ['what is longer than any token', 'x'.repeat(513)],
  ])('refuses %s and does not repeat it', async (_what, typed) => {
    const { code, out, err } = await set(typed)
    expect(code).toBe(1)
    if (typed) expect(out + err).not.toContain(typed.split('\n')[0])
    expect(api.asked).toEqual([])
  })
})

describe('the demo account with a real account behind it', () => {
  it('begins with so much a day, and keeps what its owner sets once there was a token', async () => {
    const email = `${randomUUID()}@vertexsms.test`
    const password = 'a-password-of-the-demo'
    const credentials = JSON.stringify({
      email,
      password,
      token: `vsms_${randomUUID().replaceAll('-', '').padEnd(43, 'x')}`,
    })
    const seed = (UPSTREAM = 'vertexsms') => operator(stack, ['seed-demo'], { input: credentials, env: { UPSTREAM } })
    const limit = async () => {
      const { id } = await stack.db.account.findUniqueOrThrow({ where: { email } })
      return (await stack.db.spender.findUnique({ where: { id } }))?.maxPerDayMicros ?? null
    }
    expect((await seed('sandbox')).code).toBe(0)
    expect(await limit()).toBeNull()
    // However much it could spend in the sandbox.
    await operator(stack, ['limits', email, '--max-per-day', '100'])
    expect((await seed()).code).toBe(0)
    expect(await limit()).toBe(1_000_000n)
    await operator(stack, ['limits', email, '--max-per-day', '0.5'])
    await seed()
    expect(await limit()).toBe(500_000n)
    await operator(stack, ['upstream-token', email, '--check', 'off'], { input: TOKEN })
    await operator(stack, ['limits', email, '--max-per-day', '7'])
    await seed()
    expect(await limit()).toBe(7_000_000n)
    expect((await seed('elsewhere')).code).toBe(1)
  })
})

describe('the commands upstream and upstream-remove', () => {
  it('remove the token, keep its generation and the price of a lookup, and say so', async () => {
    await set(TOKEN)
    const priced = await operator(stack, ['upstream', account.email, '--hlr-price', '0.003501'])
    expect(priced.out).toMatch(/last four 9a8b[^\n]*\na lookup costs: 0.003501 EUR/)
    expect((await operator(stack, ['upstream-remove', account.email])).out).toContain('Removed')
    expect(await row()).toMatchObject({ generation: 2, sealedToken: null, lastFour: null, hlrPriceMicros: 3_501n })
    expect((await operator(stack, ['upstream', account.email])).out).toContain('VertexSMS token: none')
    expect((await operator(stack, ['upstream-remove', account.email])).out).toContain('There was none')
    expect((await row()).generation).toBe(2)
    await set(TOKEN)
    expect((await row()).generation).toBe(3)
  })

  it('take a price before there is a token, and none of what is no price', async () => {
    expect((await operator(stack, ['upstream', account.email])).out).toContain('a lookup costs: not known')
    await operator(stack, ['upstream', account.email, '--hlr-price', '0.01'])
    expect(await row()).toMatchObject({ generation: 0, sealedToken: null, hlrPriceMicros: 10_000n })
    for (const typed of ['-1', '0.0000001', '1e-3', '101', 'NaN', '0,0,1']) {
      const { code, err } = await operator(stack, ['upstream', account.email, `--hlr-price=${typed}`])
      expect([code, err]).toEqual([1, expect.stringContaining('an amount in EUR')])
    }
    const either = await operator(stack, ['upstream', account.email, '--hlr-price', '1,500'])
    expect([either.code, either.err]).toEqual([
      1,
      expect.stringContaining('“1,500” can be read as 1.50 or as 1500.00.'),
    ])
    expect((await row()).hlrPriceMicros).toBe(10_000n)
    await operator(stack, ['upstream', account.email, '--hlr-price', 'none'])
    expect((await row()).hlrPriceMicros).toBeNull()
  })
})
