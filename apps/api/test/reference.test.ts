import {
  correctNumbersResponseSchema,
  mccMncResponseSchema,
  operatorResponseSchema,
  prefixesResponseSchema,
  ratesResponseSchema,
} from '@vertexsms/contract/rest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const get = (path: string) => world.node.call(`GET ${path}`, { token: world.token })

describe('GET /rates', () => {
  test('lists every network, with and without the slash, closed by a row for all others', async () => {
    const { body } = await get('/rates/?format=json')
    const rates = ratesResponseSchema.parse(body)
    expect((await get('/rates')).body).toEqual(body)
    const lithuania = rates.filter((rate) => rate.CountryCode === 'LT')
    expect(lithuania).toContainEqual(
      expect.objectContaining({ CountryName: 'Lithuania', Network: 'Telia', MCC: '246', MNC: '01' }),
    )
    expect(lithuania.at(-1)).toMatchObject({ Operator: 'All other carriers', MNC: null })
    expect(rates.some((rate) => rate.Operator === 'All' && rate.MNC === null)).toBe(true)
    for (const rate of rates) expect(rate.Rate).toMatch(/^0\.\d{1,4}$/)
    expect(new Set(rates.map((rate) => rate.CountryCode)).size).toBeGreaterThan(200)
  })

  test('gives the price that a message costs', async () => {
    const rates = ratesResponseSchema.parse((await get('/rates')).body)
    const sms = { to: '37061234567', from: 'Tests', message: 'x' }
    const [cost] = (await world.node.call('POST /sms/cost', { token: world.token, body: sms })).body
    const rate = rates.find((one) => one.MCC + one.MNC === cost.mccmnc)
    expect(Number(rate?.Rate)).toBe(cost.pricePerPart)
  })

  test('comes as CSV with the same rows', async () => {
    const { headers, body } = await get('/rates/?format=csv')
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const lines = (body as string).trimEnd().split('\r\n')
    expect(lines[0]).toBe('CountryName,CountryCode,Operator,Network,MCC,MNC,Rate')
    expect(lines).toHaveLength((await get('/rates')).body.length + 1)
    for (const line of lines)
      expect(line.match(/("([^"]|"")*"|[^,]*)(,|$)/g)?.filter((cell, at) => at < 7 || cell !== '')).toHaveLength(7)
  })

  test('refuses another format', async () => {
    expect(await get('/rates?format=xml')).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT' } })
  })
})

describe('networks and prefixes', () => {
  test('lead from a prefix to its operator and back to its codes', async () => {
    const prefixes = prefixesResponseSchema.parse((await get('/prefixes/LT')).body)
    const { operatorId } = prefixes.find(({ prefix }) => prefix === '37061') ?? { operatorId: 0 }
    const operator = operatorResponseSchema.parse((await get(`/operators/${operatorId}`)).body)
    expect(operator).toEqual({ name: 'Telia', country: 'LT', mcc: '246', mnc: ['01'] })
    const networks = mccMncResponseSchema.parse((await get('/mccmnc/LT')).body)
    expect(networks).toContainEqual({ country: 'LT', mcc: '246', mnc: '01', operatorId })
  })

  test('come in pages of a hundred, each row once, and an empty one after the last', async () => {
    for (const list of ['mccmnc', 'prefixes']) {
      const rows: unknown[] = []
      for (let page = 1; ; page++) {
        const { body } = await get(`/${list}/IN?Page=${page}`)
        rows.push(...body)
        if (body.length < 100) break
      }
      expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(rows.length)
      expect((await get(`/${list}/IN?Page=999999`)).body).toEqual([])
    }
    expect((await get('/mccmnc/IN?Page=1')).body).toEqual((await get('/mccmnc/in')).body)
  })

  test.each([
    '/operators/1',
    '/operators/x',
    '/operators/0',
    '/mccmnc/ZZ',
    '/mccmnc/LTU',
    '/prefixes/XQ',
    '/prefixes/1',
  ])('%s is not there, and the answer says what is not', async (path) => {
    const message = path.startsWith('/operators/')
      ? 'There is no operator with this id.'
      : expect.stringMatching(/^No mobile networks are known of this country\. .* such as LT\.$/)
    expect(await get(path)).toMatchObject({ status: 404, body: { message, code: 'NOT_FOUND', error_code: null } })
  })

  test.each(['0', '-1', 'x', '1.5', '9999999', '1&Page=2'])('refuse the page %s', async (page) => {
    expect(await get(`/mccmnc/LT?Page=${page}`)).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT' } })
  })
})

describe('POST /numbers/correct', () => {
  const correct = (body: unknown) => world.node.call('POST /numbers/correct', { token: world.token, body })

  test('writes each number in E.164, or says that it is none', async () => {
    const { body } = await correct([
      { number: '8 600 00001', country: 'LT' },
      { number: '+370 (600) 00001', country: 'LT' },
      { number: '0037060000001', country: 'DE' },
      { number: '5 212 3456', country: 'LT' },
      { number: '123', country: 'LT' },
      { number: 'not a number', country: 'LT' },
      { number: '202 555 0123', country: 'US' },
      { number: '+51987654321', country: 'BR' },
      { number: '0011 65 9234 5678', country: 'AU' },
      { number: '011 370 600 00001', country: 'US' },
      { number: '0037060000001', country: 'US' },
      { number: 60000001, country: 'LT' },
    ])
    const rows = correctNumbersResponseSchema.parse(body)
    expect(rows.map((row) => [row.number_e164, row.country, row.number_type, row.mobile, row.error === null])).toEqual([
      ['+37060000001', 'LT', 'mobile', true, true],
      ['+37060000001', 'LT', 'mobile', true, true],
      ['+37060000001', 'LT', 'mobile', true, true],
      ['+37052123456', 'LT', 'landline', false, true],
      [null, 'LT', 'unknown', false, false],
      [null, 'LT', 'unknown', false, false],
      ['+12025550123', 'US', 'mobile', true, true],
      ['+51987654321', 'PE', 'mobile', true, true],
      ['+6592345678', 'SG', 'mobile', true, true],
      ['+37060000001', 'LT', 'mobile', true, true],
      [null, 'US', 'unknown', false, false],
      ['+37060000001', 'LT', 'mobile', true, true],
    ])
    expect(rows[0]?.input_number).toBe('8 600 00001')
  })

  test.each([
    [[]],
    [{}],
    [[{ number: '1' }]],
    [[{ number: '1', country: 'lt' }]],
    [Array(101).fill({ number: '1', country: 'LT' })],
  ])('refuses a list of another form', async (list) => {
    expect(await correct(list)).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT', error_code: null } })
  })

  test('says of an entry that is null what belongs there', async () => {
    const { message } = (await correct([{ number: '1', country: 'LT' }, null])).body
    expect(message).toBe("The field '1' is missing: an object expected.")
  })

  test('says of a country in lower case, which an address may have, that a body must have it in upper case', async () => {
    const { message } = (await correct([{ number: '1', country: 'lt' }])).body
    expect(message).toContain("field '0.country': a two-letter ISO 3166-1 country code in upper case expected")
    expect(await get('/mccmnc/lt')).toMatchObject({ status: 200 })
  })
})
