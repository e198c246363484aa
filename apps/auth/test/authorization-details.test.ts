// Limits in a request (RFC 9396): each member, its refusals, and what the page and the token make of it.
import { decodeJwt } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOperatorClient } from '../src/authorization/clients/registered-clients.ts'
import { answer, approve, INSECURE, post, register, start, type TestClient } from './support/client.ts'
import type { Person } from './support/person.ts'
import { MCP_RESOURCE, type Stack, startStack } from './support/stack.ts'

let stack: Stack
let edge: { clientId: string; clientSecret: string }
beforeAll(async () => {
  stack = await startStack()
  edge = await createOperatorClient({ db: stack.db, operatorKey: stack.env.OPERATOR_KEY }, 'edge', new Date())
})
afterAll(() => stack?.close())

type Details = Record<string, unknown>
interface Answer {
  readonly access_token: string
  readonly refresh_token: string
  readonly authorization_details: readonly Details[]
}

const DETAIL = 'vertexsms_send'
const asking = (detail: Details) => ({ authorization_details: JSON.stringify([{ type: DETAIL, ...detail }]) })

/** The whole way with what the token endpoint answers, members of extensions included. */
async function connect(
  test: TestClient,
  person: Person,
  params: Record<string, string> = {},
  atToken: Record<string, string> = {},
): Promise<Answer> {
  const flow = await start(test, params)
  const callback = await approve(person, flow)
  const answered = oauth.validateAuthResponse(test.server, test.client, callback, flow.state)
  const { body } = await post(`${stack.issuer}/oauth/token`, {
    grant_type: 'authorization_code',
    code: answered.get('code') ?? '',
    redirect_uri: test.redirectUri,
    code_verifier: flow.verifier,
    client_id: test.client.client_id,
    resource: MCP_RESOURCE,
    ...atToken,
  })
  return body as unknown as Answer
}

async function refreshed(test: TestClient, token: string, extra: Record<string, string> = {}) {
  const { body } = await post(`${stack.issuer}/oauth/token`, {
    grant_type: 'refresh_token',
    refresh_token: token,
    client_id: test.client.client_id,
    ...extra,
  })
  return body as unknown as Answer & { error?: string; error_description?: string }
}

async function introspected(token: string): Promise<Details> {
  const credentials = Buffer.from(`${edge.clientId}:${edge.clientSecret}`).toString('base64')
  const { body } = await post(`${stack.issuer}/oauth/introspect`, { token }, { authorization: `Basic ${credentials}` })
  return body
}

async function newPerson() {
  const { id: accountId } = await stack.account()
  return { accountId, person: await stack.person(accountId), test: await register(stack) }
}

const spenderOf = (accountId: string) => stack.db.spender.findFirstOrThrow({ where: { accountId } })

/** Rounds of a race whose order nobody decides. */
const RACES = process.env.TEST_FULL ? 20 : 3

describe('authorization details (RFC 9396)', () => {
  it('are announced in the metadata of the server (RFC 9396 §10)', async () => {
    const metadata = await (await fetch(`${stack.issuer}/.well-known/oauth-authorization-server`)).json()
    expect(metadata.authorization_details_types_supported).toEqual([DETAIL])
  })

  it('of a client that asked nothing are those of its connection, in the response and in introspection (§7, §9.2)', async () => {
    const { person, test } = await newPerson()
    const tokens = await connect(test, person)
    const expected = [{ type: DETAIL, currency: 'EUR', maxPerDay: '5' }]
    expect(tokens.authorization_details).toEqual(expected)
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      expect(await introspected(token)).toMatchObject({ active: true, authorization_details: expected })
    }
  })

  it('that were asked for become the limits of the connection', async () => {
    const { accountId, person, test } = await newPerson()
    const asked = {
      currency: 'EUR',
      maxPerSend: '0.5',
      maxPerDay: '2',
      maxTotal: 20,
      recipientsPerDay: 10,
      countries: ['LV', 'LT', 'LT'],
      senders: ['Shop'],
    }
    const tokens = await connect(test, person, asking(asked))
    expect(tokens.authorization_details).toEqual([
      {
        type: DETAIL,
        currency: 'EUR',
        maxPerSend: '0.5',
        maxPerDay: '2',
        maxTotal: '20',
        recipientsPerDay: 10,
        countries: ['LT', 'LV'],
        senders: ['Shop'],
      },
    ])
    expect(await spenderOf(accountId)).toMatchObject({
      maxPerSendMicros: 500_000n,
      maxPerDayMicros: 2_000_000n,
      maxTotalMicros: 20_000_000n,
      recipientsPerDay: 10,
      countries: ['LT', 'LV'],
      senders: ['Shop'],
      askAboveMicros: null,
    })
  })

  it('never widen what a new connection is held to', async () => {
    const { person, test } = await newPerson()
    const tokens = await connect(test, person, asking({ maxPerDay: '500' }))
    expect(tokens.authorization_details).toEqual([{ type: DETAIL, currency: 'EUR', maxPerDay: '5' }])
  })

  it('narrow a connection that goes on, and a later approval that asks more, or nothing, widens nothing', async () => {
    const { accountId, person, test } = await newPerson()
    await connect(test, person, asking({ maxPerDay: '2', countries: ['LT', 'LV'] }))
    await connect(test, person, asking({ maxPerDay: '4', countries: ['LV', 'EE'], maxTotal: '9' }))
    const narrowed = { maxPerDayMicros: 2_000_000n, countries: ['LV'], maxTotalMicros: 9_000_000n }
    expect(await spenderOf(accountId)).toMatchObject(narrowed)
    await connect(test, person)
    expect(await spenderOf(accountId)).toMatchObject(narrowed)
    expect(await stack.db.connection.count({ where: { accountId } })).toBe(1)
  })

  it('give an older connection, which has no row, the limits that were asked for', async () => {
    const { accountId, person, test } = await newPerson()
    await connect(test, person)
    await stack.db.spender.deleteMany({ where: { accountId } })
    await connect(test, person, asking({ maxTotal: '3' }))
    expect(await spenderOf(accountId)).toMatchObject({ maxTotalMicros: 3_000_000n, maxPerDayMicros: null })
  })

  it('with no country in common are refused by name, and change nothing: an empty list would be no limit', async () => {
    const { accountId, person, test } = await newPerson()
    const tokens = await connect(test, person, asking({ countries: ['LT'] }))
    const flow = await start(test, asking({ countries: ['LV'] }))
    const page = await person.open(flow.url)
    expect(page.html).toContain('no country or no sender in common')
    const { url } = await answer(person, page)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      error: 'invalid_authorization_details',
      error_description: 'the limits asked for have nothing in common with those of the connection',
    })
    expect(await spenderOf(accountId)).toMatchObject({ countries: ['LT'] })
    expect((await refreshed(test, tokens.refresh_token)).authorization_details).toMatchObject([{ countries: ['LT'] }])
  })

  it('that are approved and refreshed while the owner lowers and pauses widen nothing and resume nothing, whichever comes first', async () => {
    const { accountId, person, test } = await newPerson()
    let tokens = await connect(test, person, asking({ maxPerDay: '5', maxTotal: '50' }))
    for (let round = 1; round <= RACES; round++) {
      const lowered = {
        maxPerDayMicros: BigInt(5_000_000 - round * 10_000),
        maxTotalMicros: BigInt(50_000_000 - round),
      }
      const pausedAt = new Date()
      const [next] = await Promise.all([
        connect(test, person, asking({ maxPerDay: '5', maxTotal: '50' })),
        ...Array.from({ length: 4 }, () => refreshed(test, tokens.refresh_token).catch(() => undefined)),
        stack.db.spender.updateMany({ where: { accountId }, data: { ...lowered, pausedAt } }),
      ])
      expect(await spenderOf(accountId)).toMatchObject({ ...lowered, pausedAt })
      tokens = next
    }
    // Its end is final, too: what comes after begins another connection, with limits of its own.
    await Promise.all([
      stack.db.spender.updateMany({ where: { accountId }, data: { endedAt: new Date() } }),
      ...Array.from({ length: 4 }, () => refreshed(test, tokens.refresh_token).catch(() => undefined)),
      connect(test, person, asking({ maxPerDay: '5' })).catch(() => undefined),
    ])
    expect(await stack.db.spender.count({ where: { accountId, endedAt: { not: null } } })).toBe(1)
  })

  it('of a refresh are the limits as they are then, lowered or raised by the owner', async () => {
    const { accountId, person, test } = await newPerson()
    let tokens = await connect(test, person, asking({ maxPerDay: '2' }))
    for (const [micros, text] of [
      [1_000_000n, '1'],
      [7_000_000n, '7'],
    ] as const) {
      await stack.db.spender.updateMany({ where: { accountId }, data: { maxPerDayMicros: micros } })
      tokens = await refreshed(test, tokens.refresh_token)
      const expected = [{ type: DETAIL, currency: 'EUR', maxPerDay: text }]
      expect(tokens.authorization_details).toEqual(expected)
      expect((await introspected(tokens.access_token)).authorization_details).toEqual(expected)
    }
  })

  it('stand in no access token: the row decides while the token lives', async () => {
    const { person, test } = await newPerson()
    const tokens = await connect(test, person, asking({ countries: ['LT'] }))
    expect(decodeJwt(tokens.access_token)).not.toHaveProperty('authorization_details')
  })

  it('are stored with no token', async () => {
    const { accountId, person, test } = await newPerson()
    await connect(test, person, asking({ senders: ['Shop'] }))
    const artifacts = await stack.db.oidcArtifact.findMany({ where: { accountId, kind: { not: 'Interaction' } } })
    expect(artifacts.length).toBeGreaterThan(0)
    expect(JSON.stringify(artifacts.map(({ payload }) => payload))).not.toContain('Shop')
  })

  it('repeated at the token endpoint are answered with what was granted (§6)', async () => {
    const { person, test } = await newPerson()
    const asked = asking({ maxPerDay: '50' })
    const tokens = await connect(test, person, asked, asked)
    expect(tokens.authorization_details).toEqual([{ type: DETAIL, currency: 'EUR', maxPerDay: '5' }])
    expect((await refreshed(test, tokens.refresh_token, asked)).authorization_details).toMatchObject([
      { maxPerDay: '5' },
    ])
  })

  it('that are less than the connection are refused at the token endpoint, and nothing is used up (§6)', async () => {
    const { person, test } = await newPerson()
    const tokens = await connect(test, person)
    const refused = await refreshed(test, tokens.refresh_token, asking({ maxPerDay: '1' }))
    expect(refused.error).toBe('invalid_authorization_details')
    expect((await refreshed(test, tokens.refresh_token)).authorization_details).toMatchObject([{ maxPerDay: '5' }])
  })

  it('may come in a pushed request (RFC 9126)', async () => {
    const { accountId, person, test } = await newPerson()
    const { url, verifier, state } = await start(test, asking({ maxPerDay: '1.5' }))
    const { status, body } = await post(`${stack.issuer}/oauth/par`, Object.fromEntries(url.searchParams))
    expect(status).toBe(201)
    const pushed = new URL(url)
    pushed.search = String(
      new URLSearchParams({ client_id: test.client.client_id, request_uri: String(body.request_uri) }),
    )
    await approve(person, { url: pushed, verifier, state })
    expect(await spenderOf(accountId)).toMatchObject({ maxPerDayMicros: 1_500_000n })
  })

  it('are shown to the person in plain words, each once, and a default as well', async () => {
    const { person, test } = await newPerson()
    const asked = asking({ maxPerSend: '0.5', countries: ['LT', 'LV'], recipientsPerDay: 1, senders: ['Shop'] })
    const { html } = await person.open((await start(test, asked)).url)
    // Without what is seen once the field of the countries was emptied.
    const seen = html.replace(/<span class="says says-any">.*?<\/span>/, '')
    const text = seen.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
    for (const words of [
      'At most 5.00 EUR a day',
      'at most 0.50 EUR for one send',
      'at most 1 recipient a day',
      'to LT, LV',
      'only with the sender Shop',
      'It asked to be held to limits itself: yours may be narrower, not wider.',
    ]) {
      expect([words, text.split(words).length - 1]).toEqual([words, 1])
    }
    expect(text).not.toMatch(/Lithuania|Latvia/)
    const plain = (await person.open((await start(test)).url)).html
    expect(plain).toContain('At most 5.00 EUR a day')
    expect(plain).not.toContain('It asked to be held to')
  })

  const repeated = `[{"type":"${DETAIL}","maxPerDay":"1","maxPerDay":"100"}]`
  const many = (count: number) => Array.from({ length: count }, (_, index) => `S${index}`)
  it.each([
    ['is not JSON', '{', 'JSON'],
    ['names a member twice', repeated, 'once'],
    ['is no list', JSON.stringify({ type: DETAIL }), 'array'],
    ['is of a type nobody knows', JSON.stringify([{ type: 'payment' }]), 'unsupported'],
    ['is of two', JSON.stringify([{ type: DETAIL }, { type: DETAIL }]), 'list of one'],
    ['has a member nobody knows', asking({ maxPerHour: '1' }).authorization_details, 'not known'],
    ['has the approval threshold', asking({ askAbove: '1' }).authorization_details, 'not known'],
    ['has a common member', asking({ locations: [MCP_RESOURCE] }).authorization_details, 'not known'],
    ['is in another currency', asking({ currency: 'USD', maxPerDay: '1' }).authorization_details, 'currency'],
    ['has a negative amount', asking({ maxPerDay: '-1' }).authorization_details, 'maxPerDay'],
    ['has too fine an amount', asking({ maxPerDay: '0.0000001' }).authorization_details, 'maxPerDay'],
    ['has an amount in words', asking({ maxPerSend: 'five' }).authorization_details, 'maxPerSend'],
    ['has an amount in powers of ten', asking({ maxTotal: '1e3' }).authorization_details, 'maxTotal'],
    ['has an endless amount', asking({ maxTotal: 1e21 }).authorization_details, 'maxTotal'],
    ['has half a recipient', asking({ recipientsPerDay: 0.5 }).authorization_details, 'recipientsPerDay'],
    ['has no recipients left', asking({ recipientsPerDay: -1 }).authorization_details, 'recipientsPerDay'],
    ['has an empty list', asking({ countries: [] }).authorization_details, 'countries'],
    ['has a country in small letters', asking({ countries: ['lt'] }).authorization_details, 'countries'],
    ['has a country nobody knows', asking({ countries: ['QX'] }).authorization_details, 'countries'],
    ['has an alias of a country', asking({ countries: ['UK'] }).authorization_details, 'countries'],
    ['has a union of countries', asking({ countries: ['EU'] }).authorization_details, 'countries'],
    ['has a sender too long', asking({ senders: ['ABCDEFGHIJKL'] }).authorization_details, 'senders'],
    ['has too many senders', asking({ senders: many(51) }).authorization_details, 'senders'],
  ])('that %s is refused with invalid_authorization_details, and no page asks (§5)', async (_what, details, word) => {
    const { person, test } = await newPerson()
    const flow = await start(test, { authorization_details: details })
    const { url } = await person.open(flow.url)
    expect(url.searchParams.get('error')).toBe('invalid_authorization_details')
    expect(url.searchParams.get('error_description')).toContain(word)
    const { status, body } = await post(`${stack.issuer}/oauth/par`, Object.fromEntries(flow.url.searchParams))
    expect([status, body.error]).toEqual([400, 'invalid_authorization_details'])
  })

  it('that are larger than a request may be are refused before anybody is asked', async () => {
    const { person, test } = await newPerson()
    const flow = await start(test, asking({ senders: many(50), x: 'y'.repeat(2048) }))
    expect((await person.open(flow.url)).status).toBe(400)
  })

  it('leave a client of an independent library as it was: it reads the response', async () => {
    const { person, test } = await newPerson()
    const flow = await start(test)
    const callback = await approve(person, flow)
    const params = oauth.validateAuthResponse(test.server, test.client, callback, flow.state)
    const response = await oauth.authorizationCodeGrantRequest(
      test.server,
      test.client,
      test.auth,
      params,
      test.redirectUri,
      flow.verifier,
      INSECURE,
    )
    const tokens = await oauth.processAuthorizationCodeResponse(test.server, test.client, response)
    expect(tokens.authorization_details).toEqual([{ type: DETAIL, currency: 'EUR', maxPerDay: '5' }])
  })
})
