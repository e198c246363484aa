import { expect, test } from 'vitest'
import { mac } from '../src/mac.ts'

test('a mac is HMAC-SHA-256 of its parts in a row (RFC 4231 §4.2, §4.4)', () => {
  const ofText = mac(Buffer.alloc(20, 0x0b), 'Hi ', Buffer.from('There'))
  expect(ofText.toString('hex')).toBe('b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7')
  const ofBytes = mac(Buffer.alloc(20, 0xaa), Buffer.alloc(50, 0xdd))
  expect(ofBytes.toString('hex')).toBe('773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe')
  expect(mac(Buffer.alloc(20, 0x0c), 'Hi There')).not.toEqual(ofText)
})
