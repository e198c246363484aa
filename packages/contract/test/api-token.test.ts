import { describe, expect, test } from 'vitest'
import { isMistypedToken, isPossibleToken, MANUAL_TOKEN_PATTERN, manualToken } from '../src/api-token.ts'

const SECRET = 'Zm9vYmFyLWZvb2Jhci1mb29iYXItZm9vYmFyLWZvb2I'
const token = manualToken(SECRET)

describe('a token made by hand', () => {
  test('has its checksum at its end, the same wherever it is made', () => {
    expect(token).toBe(`vsms_${SECRET}2XQXUO`)
    expect([isPossibleToken(token), isMistypedToken(token)]).toEqual([true, false])
    expect(new RegExp(`^${MANUAL_TOKEN_PATTERN}$`).test(token)).toBe(true)
  })

  test('stays possible without a checksum, as an earlier release made it', () => {
    const old = `vsms_${SECRET}`
    expect([isPossibleToken(old), isMistypedToken(old)]).toEqual([true, false])
    expect(new RegExp(`^${MANUAL_TOKEN_PATTERN}$`).test(old)).toBe(true)
  })

  test('is told from one with any single character changed', () => {
    for (let at = 'vsms_'.length; at < token.length; at++) {
      const other = `${token.slice(0, at)}${token[at] === 'a' ? 'b' : 'a'}${token.slice(at + 1)}`
      expect([at, isPossibleToken(other), isMistypedToken(other)]).toEqual([at, false, true])
    }
  })

  test.each([
    ['cut at its end', token.slice(0, -1)],
    ['cut in its secret', token.slice(0, 40)],
    ['with something behind it', `${token}x`],
    ['with two characters changed over', token.replace('Zm', 'mZ')],
    ['with nothing behind the prefix', 'vsms_'],
    ['with a character that no token has', `vsms_${'!'.repeat(43)}`],
    ['very long', `vsms_${'a'.repeat(100_000)}`],
  ])('is told from one %s', (_name, value) => {
    expect([isPossibleToken(value), isMistypedToken(value)]).toEqual([false, true])
  })

  test.each(['', 'x', 'VSMS_abc', SECRET, 'a.b.c'])('is nothing like %s', (value) => {
    expect(isMistypedToken(value)).toBe(false)
  })
})
