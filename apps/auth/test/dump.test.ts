import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashPassword } from '../src/accounts/password.ts'
import { createOperatorClient } from '../src/authorization/clients/registered-clients.ts'
import { approve, connect, exchange, post, refresh, register, start, type TestClient } from './support/client.ts'
import { operator as storeUpstreamToken } from './support/operator.ts'
import { type Stack, startStack } from './support/stack.ts'

/** Of one place in the tables, so many values are tried. */
const VALUES_OF_PLACE = process.env.TEST_FULL ? 50 : 2

const PASSWORD = 'a quite unusual pass phrase'
let stack: Stack
/** Everything that opens something, by what it is. */
const secrets: Record<string, string[]> = {}
const clients: TestClient[] = []
let cells: Cell[]

beforeAll(async () => {
  stack = await startStack({ settings: { RATE_LIMITS: 'on' } })
  await busyRun()
  cells = await dump()
})
afterAll(() => stack?.close())

function keep(kind: string, ...values: (string | null | undefined)[]): void {
  secrets[kind] = [...(secrets[kind] ?? []), ...values.filter((value): value is string => Boolean(value))]
}

/** Everything the server does that leaves something behind, some of it unfinished. */
async function busyRun(): Promise<void> {
  keep('password', PASSWORD)
  const operator = await createOperatorClient({ db: stack.db, operatorKey: stack.env.OPERATOR_KEY }, 'edge', new Date())
  keep('client secret', operator.clientSecret)
  for (const metadata of [
    {},
    { redirect_uris: ['https://app.example/cb'], token_endpoint_auth_method: 'client_secret_basic' },
  ]) {
    const client = await register(stack, metadata)
    clients.push(client)
    keep('client secret', client.client.client_secret as string | undefined)
    const { id, email } = await stack.account()
    const upstreamToken = `of-the-operator-${randomBytes(24).toString('base64url')}`
    keep('upstream token', upstreamToken)
    await storeUpstreamToken(stack, ['upstream-token', email, '--check', 'off'], { input: upstreamToken })
    await stack.db.account.update({ where: { id }, data: { passwordHash: await hashPassword(PASSWORD) } })
    const person = await stack.person(id)
    let tokens = await connect(client, person)
    keep('access token', tokens.access)
    keep('refresh token', tokens.refresh)
    for (let round = 0; round < 3; round += 1) {
      tokens = await refresh(client, tokens.refresh)
      keep('access token', tokens.access)
      keep('refresh token', tokens.refresh)
    }
    const used = await start(client)
    const callback = await approve(await stack.person((await stack.account()).id), used)
    keep('code', callback.searchParams.get('code'))
    await exchange(client, used, callback)
    const unused = await approve(await stack.person((await stack.account()).id), await start(client))
    keep('code', unused.searchParams.get('code'))
    const flow = await start(client, { state: 'state-of-the-client-0123456789' })
    await person.open(flow.url)
    keep('verifier', flow.verifier, used.verifier)
    const basic = Buffer.from(`${client.client.client_id}:${client.client.client_secret}`).toString('base64')
    const pushed = await post(
      `${stack.issuer}/oauth/par`,
      Object.fromEntries(flow.url.searchParams),
      client.client.client_secret ? { authorization: `Basic ${basic}` } : {},
    )
    keep('request uri', String(pushed.body.request_uri).split(':').at(-1))
    keep('cookie', ...person.cookies.map(({ value }) => value))
  }
  keep('operator key', Buffer.from(stack.env.OPERATOR_KEY).toString('base64url'))
}

/** What stands in a table, as text, and where: the column, by kind of row and spelling, and the name in what is nested. */
interface Cell {
  readonly place: string
  readonly text: string
}

/** Every cell of every table, bytes in each usual spelling. */
async function dump(): Promise<Cell[]> {
  const found: Cell[] = []
  const add = (place: string, value: unknown): void => {
    if (value === null || value === undefined) return
    if (value instanceof Uint8Array) {
      const bytes = Buffer.from(value)
      for (const spelling of ['latin1', 'hex', 'base64', 'base64url'] as const) {
        found.push({ place: `${place} ${spelling}`, text: bytes.toString(spelling) })
      }
    } else if (value instanceof Date || typeof value !== 'object') found.push({ place, text: String(value) })
    else
      for (const [name, inner] of Object.entries(value)) {
        found.push({ place: `${place} names`, text: name })
        add(Array.isArray(value) ? place : `${place}.${name}`, inner)
      }
  }
  const tables = await stack.db.$queryRaw<{ name: string }[]>`
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`
  expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['public.sandbox_text', 'public.api_token']))
  for (const { name: table } of tables) {
    for (const row of await stack.db.$queryRawUnsafe<Record<string, unknown>[]>(`SELECT * FROM ${table}`)) {
      for (const [column, cell] of Object.entries(row)) add(`${table} ${row.kind ?? ''} ${column}`, cell)
    }
  }
  return found
}

describe('a copy of the database', () => {
  it('was taken after a run that left something everywhere', async () => {
    expect(cells.length).toBeGreaterThan(500)
    for (const [kind, count] of [
      ['access token', 8],
      ['refresh token', 8],
      ['code', 4],
      ['client secret', 2],
      ['cookie', 6],
      ['upstream token', 2],
    ] as const) {
      expect([kind, (secrets[kind] ?? []).length >= count]).toEqual([kind, true])
    }
    for (const table of [
      'oidc_artifact',
      'used_refresh_token',
      'api_token',
      'session',
      'oidc_client',
      'signing_key',
      'upstream_account',
    ]) {
      const [row] = await stack.db.$queryRawUnsafe<{ count: bigint }[]>(`SELECT count(*) FROM ${table}`)
      expect([table, Number(row?.count) > 0]).toEqual([table, true])
    }
  })

  it('holds no token, code, cookie, verifier, request URI, client secret, password or key, in any spelling', () => {
    const all = cells.map(({ text }) => text).join('\n')
    for (const [kind, values] of Object.entries(secrets)) {
      for (const value of values) {
        const bytes = Buffer.from(value)
        for (const spelling of [value, bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')]) {
          expect([kind, all.includes(spelling)]).toEqual([kind, false])
        }
      }
    }
  })

  it('holds no signature part or jti of an access token either', () => {
    const all = cells.map(({ text }) => text).join('\n')
    for (const token of secrets['access token'] ?? []) {
      const [, payload = '', signature = ''] = token.split('.')
      const { jti } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { jti: string }
      for (const part of [payload, signature, jti]) expect(all).not.toContain(part)
    }
  })

  it('gives nothing that works when the values of each column of it are tried', { timeout: 120_000 }, async () => {
    const places = new Map<string, Set<string>>()
    for (const { place, text } of cells) {
      if (!/^[\x21-\x7e]{16,200}$/.test(text)) continue
      const of = places.get(place) ?? new Set()
      places.set(place, of.size < VALUES_OF_PLACE ? of.add(text) : of)
    }
    const candidates = new Set([...places.values()].flatMap((of) => [...of]))
    expect(candidates.size).toBeGreaterThan(50)
    const [client] = clients as [TestClient]
    await stack.db.rateCounter.deleteMany()
    for (const value of candidates) {
      const refreshed = await post(`${stack.issuer}/oauth/token`, {
        grant_type: 'refresh_token',
        client_id: client.client.client_id,
        refresh_token: value,
      })
      expect(refreshed.body.access_token).toBeUndefined()
      const redeemed = await post(`${stack.issuer}/oauth/token`, {
        grant_type: 'authorization_code',
        client_id: client.client.client_id,
        code: value,
        redirect_uri: client.redirectUri,
        code_verifier: value.padEnd(43, 'a'),
      })
      expect(redeemed.body.access_token).toBeUndefined()
      const page = await fetch(`${stack.issuer}/settings/api`, {
        redirect: 'manual',
        headers: { cookie: `vertexsms_session=${encodeURIComponent(value)}` },
      })
      await page.text()
      expect(page.status).not.toBe(200)
    }
  })
})
