import { expect, it } from 'vitest'
import { keySchema } from '../src/key.ts'

const bytes = new Uint8Array(Array.from({ length: 32 }, (_, at) => at * 7))
const key = Buffer.from(bytes).toString('base64url')

it.each([key, `${key}=`])('the key %s is read into its bytes', (value) => {
  expect(keySchema.parse(value)).toEqual(bytes)
})

it.each([
  'short',
  `${key}AA`,
  '0123456789abcdef'.repeat(4),
  Buffer.alloc(32).toString('base64url'),
  Buffer.from('deadbeef'.repeat(4)).toString('base64url'),
])('%s is no key, and one problem says why', (value) => {
  expect(keySchema.safeParse(value).error?.issues).toHaveLength(1)
})
