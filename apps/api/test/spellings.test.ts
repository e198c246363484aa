// Whatever a number is written like, nothing outside the allowed countries reaches the operator.
import fc from 'fast-check'
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import examples from 'libphonenumber-js/mobile/examples'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedUpstream, scriptedUpstream, withUpstream } from './support/upstream.ts'
import { type Node, startWorld, type World } from './support/world.ts'

/** A sample; `test:spellings` takes ten thousand. */
const SPELLINGS = Number(process.env.SPELLINGS ?? 2_000)
const SEED = Number(process.env.PROPERTY_SEED ?? 20261126)
const LIST = 100

/** Countries that share +1, +7, +44 and others, and some that share nothing. */
const SHARED = 'US CA JM DO BS BB TT PR AG GD RU KZ GB GG JE IM'.split(' ') as CountryCode[]
const ALONE = 'LT LV EE DE FR PL AU NZ TH IN CU LK'.split(' ') as CountryCode[]
const COUNTRIES = [...SHARED, ...ALONE]

/** A mobile number that this test knows the country of. */
interface Known {
  readonly country: CountryCode
  readonly callingCode: string
  readonly national: string
}

/** The library's own example of the Isle of Man is one of the United Kingdom. */
const EXAMPLES = { ...examples, IM: '7624312345' }

/** Valid mobile numbers of each country: its example with other digits at its end. */
function numbersOf(country: CountryCode): Known[] {
  const example = EXAMPLES[country]
  if (example === undefined) throw new Error(`no example of ${country}`)
  return Array.from(
    { length: 40 },
    (_, at) => example.slice(0, -3) + String((Number(example.slice(-3)) + at * 7) % 1_000).padStart(3, '0'),
  )
    .map((national) => parsePhoneNumberFromString(national, country))
    .flatMap((number) =>
      number?.isValid() && number.country === country
        ? [{ country, callingCode: number.countryCallingCode, national: number.nationalNumber }]
        : [],
    )
}

const pool = new Map(COUNTRIES.map((country) => [country, numbersOf(country)]))

const DIGITS = ['0123456789', '０１２３４５６７８９', '٠١٢٣٤٥٦٧٨٩', '۰۱۲۳۴۵۶۷۸۹']
const SEPARATORS = ['', ' ', '-', '.', ' ', '\u00a0', '\u2009', '\u2011', ' - ', '\u200e']
const PREFIXES = ['+', '+', '+', '00', '', '＋', 'tel:+', ' +', '0', '+0', '++', '011', '810', '00 ']

const spelling = fc.record({
  country: fc.constantFrom(...COUNTRIES),
  which: fc.nat(39),
  digits: fc.constantFrom(...DIGITS),
  separators: fc.array(fc.constantFrom(...SEPARATORS), { minLength: 20, maxLength: 20 }),
  prefix: fc.constantFrom(...PREFIXES),
  isNational: fc.boolean(),
  hasTrunkZero: fc.constantFrom(false, false, true),
  hasBrackets: fc.constantFrom(false, false, true),
})
type Spelling = typeof spelling extends fc.Arbitrary<infer Value> ? Value : never

function write(number: Known, { digits, separators, prefix, isNational, hasTrunkZero, hasBrackets }: Spelling): string {
  const trunk = hasTrunkZero ? '(0)' : ''
  const national = hasBrackets ? `(${number.national.slice(0, 3)})${number.national.slice(3)}` : number.national
  const plain = isNational ? `${trunk ? '0' : ''}${national}` : `${number.callingCode}${trunk}${national}`
  const spelled = [...plain].map((character, at) => {
    const shown = /\d/.test(character) ? ([...digits][Number(character)] ?? character) : character
    return `${shown}${at < plain.length - 1 && /\d/.test(character) ? (separators[at % separators.length] ?? '') : ''}`
  })
  return `${isNational ? '' : prefix}${spelled.join('')}`.slice(0, 64)
}

let world: World
let scripted: ScriptedUpstream
let node: Node
beforeAll(async () => {
  world = await startWorld()
  scripted = scriptedUpstream(world.db)
  scripted.answer = async ({ messageId }) => ({
    kind: 'accepted',
    reference: `up-${messageId}`,
    parts: 1,
    priceMicros: 1n,
  })
  node = await world.startNode({}, withUpstream(scripted, { placeMs: 60_000, answerMs: 60_000 }))
})
afterAll(() => world.close())

test(`no number outside the allowed countries reaches the operator, in ${SPELLINGS} spellings (seed ${SEED})`, {
  timeout: 600_000,
}, async () => {
  const { accountId } = world
  const { id, token } = await world.makeToken()
  const written = fc.sample(spelling, { numRuns: SPELLINGS, seed: SEED })
  const lists = fc.sample(fc.subarray(COUNTRIES, { minLength: 1, maxLength: 3 }), {
    numRuns: Math.ceil(SPELLINGS / LIST),
    seed: SEED,
  })
  let plain = 0
  let refused = 0
  for (const [at, countries] of lists.entries()) {
    const allowed = new Set<string>(countries)
    await world.db.spender.upsert({
      where: { id },
      create: { id, accountId, kind: 'token', createdAt: new Date(), countries },
      update: { countries },
    })
    const entries = written.slice(at * LIST, (at + 1) * LIST).map((one) => {
      const numbers = pool.get(one.country) ?? []
      const number = numbers[one.which % numbers.length] as Known
      return { number, spelling: one, text: write(number, one) }
    })
    scripted.orders.length = 0
    // Half of the lists name a country for what is written nationally.
    const correctBy = at % 2 === 0 ? undefined : COUNTRIES[(at * 7) % COUNTRIES.length]
    const { status, body } = await node.call('POST /sms/batch', {
      token,
      body: {
        to: entries.map(({ text }) => text),
        from: 'Tests',
        message: 'Hello',
        ...(correctBy ? { correctBy } : {}),
      },
    })
    expect(status).toBe(200)
    for (const { to } of scripted.orders) {
      const country = parsePhoneNumberFromString(`+${to}`)?.country
      expect(country !== undefined && allowed.has(country), `${to} of ${country} with ${countries.join(' ')}`).toBe(
        true,
      )
    }
    const reached = new Set(scripted.orders.map(({ to }) => to))
    for (const [place, { number, spelling: one, text }] of entries.entries()) {
      const msisdn = number.callingCode + number.national
      const error = body.messages[place].error
      if (error?.code === 'DESTINATION_NOT_ALLOWED') refused++
      if (!allowed.has(number.country)) {
        expect(reached.has(msisdn), `${JSON.stringify(text)} with ${countries.join(' ')}`).toBe(false)
        continue
      }
      // And what is written plainly and allowed does arrive.
      if (one.isNational || one.prefix !== '+' || one.hasTrunkZero || one.hasBrackets) continue
      plain++
      expect(reached.has(msisdn), `${JSON.stringify(text)} with ${countries.join(' ')}`).toBe(true)
    }
  }
  expect(plain).toBeGreaterThan(0)
  expect(refused).toBeGreaterThan(SPELLINGS / 10)
})

test.each([
  ['GB', ['+447797712345', '+44 7624 312345', '００４４７７８１１２３４５６']],
  ['RU', ['+77710009998', '007 771 000 9998', '＋７７０１０００９９９８']],
  ['US', ['+18762101234', '001 506 234 5678', '+1 (787) 234-5678']],
] as const)('a list with %s alone lets none of its neighbours under the same code pass', async (country, written) => {
  const { id, token } = await world.makeToken()
  await world.db.spender.create({
    data: { id, accountId: world.accountId, kind: 'token', createdAt: new Date(), countries: [country] },
  })
  scripted.orders.length = 0
  for (const to of written) {
    const { status, body } = await node.call('POST /sms', { token, body: { to, from: 'Tests', message: 'Hello' } })
    expect([status, body.code]).toEqual([403, 'DESTINATION_NOT_ALLOWED'])
    expect(body.details.country).not.toBe(country)
  }
  expect(scripted.orders).toEqual([])
})
