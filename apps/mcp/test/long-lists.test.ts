// Lists in words: a client may show its model the text alone, so that what is not in it cannot be had.
import { PAGE_SIZE, type Rate } from '@vertexsms/contract/rest'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { failureOf, resultOf } from './support/read.ts'
import { modern, post, type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())
beforeEach(() => {
  stack.upstream.override = undefined
})

const call = (name: string, args: object, token = stack.manualToken()) =>
  post(stack.url, token, modern('tools/call', { name, arguments: args }))
const wordsOf = async (name: string, args: object, token?: string) =>
  (await resultOf(await call(name, args, token))).content[0]?.text.split('\n') ?? []
const answerWith = (body: unknown) => {
  stack.upstream.override = ({ path }) => (path === '/token' ? undefined : { status: 200, body })
}

it('a full page stands in the text to its last row, with the page that follows', async () => {
  const rows = await wordsOf('get_mobile_prefixes', { country: 'LT' })
  expect(rows).toHaveLength(PAGE_SIZE + 2)
  expect(rows.at(-2)).toBe(`3706${PAGE_SIZE - 1}: operator 7`)
  expect(rows.at(-1)).toBe('Next page: 2.')
})

it('a country of which no prefix is listed is not told as one without numbers', async () => {
  answerWith([])
  expect(await wordsOf('get_mobile_prefixes', { country: 'US' })).toEqual([
    'No mobile prefixes of US are listed: there a number does not tell its operator, but lookup_hlr does.',
  ])
  expect(await wordsOf('get_mobile_prefixes', { country: 'US', page: 2 })).toEqual(['0 mobile prefixes of US, page 2.'])
})

it('each of a hundred numbers stands in the text', async () => {
  const numbers = Array.from({ length: 100 }, () => ({ number: '061234567', country: 'LT' }))
  const rows = await wordsOf('correct_phone_number', { numbers })
  expect(rows).toHaveLength(101)
  expect(rows.at(-1)).toBe('100. +37069555555 (mobile)')
})

it('an answer with a result for some of the numbers is none', async () => {
  answerWith([])
  const answer = await call('correct_phone_number', { numbers: [{ number: '061234567', country: 'LT' }] })
  expect(failureOf(await resultOf(answer)).code).toBe('INTERNAL')
})

it('a rate says for which network it is, and a list beyond all measure where the rest of it is', async () => {
  const rate = (index: number): Rate => ({
    CountryName: 'United States',
    CountryCode: 'US',
    Operator: 'One',
    Network: 'Other',
    MCC: '310',
    MNC: index === 0 ? null : String(index),
    Rate: '0.024',
  })
  answerWith(Array.from({ length: 205 }, (_, index) => rate(index)))
  const rows = await wordsOf('get_sms_rates', { country: 'US' }, stack.manualToken('account-of-many-rates'))
  expect(rows.slice(0, 3)).toEqual([
    'United States (US), EUR per SMS part:',
    'One / Other (MCC 310): 0.024',
    'One / Other (MCC 310 MNC 1): 0.024',
  ])
  expect(rows).toHaveLength(202)
  expect(rows.at(-1)).toBe('... and 5 more rows in the structured result.')
})
