import { describe, expect, it } from 'vitest'
import { checkEncoded, isUsableText, readForm, UnreadableText } from '../src/text.ts'

describe('a form or query', () => {
  it('is read with its repeated fields, plus signs and characters of every language', () => {
    const form = readForm(Buffer.from('a=1&a=2&b=c+d%20e&%C3%A9=%F0%9F%98%80&é=raw&empty'))
    expect([form.getAll('a'), form.get('b'), form.getAll('é'), form.get('empty')]).toEqual([
      ['1', '2'],
      'c d e',
      ['😀', 'raw'],
      '',
    ])
    expect(readForm('').size).toBe(0)
  })

  it.each([
    ['a null character', 'client_id=a%00b'],
    ['a raw null character', 'client_id=a\0b'],
    ['a null character in a name', 'a%00=b'],
    ['half of a surrogate pair', 'a=%ED%A0%80'],
    ['bytes that are no UTF-8', 'a=%ff'],
    ['an overlong null character', 'a=%C0%80'],
    ['a percent sign that encodes nothing', 'a=100%'],
    ['a broken escape', 'a=%zz'],
    ['more fields than any form has', 'a&'.repeat(1000)],
  ])('with %s is refused', (_what, text) => {
    expect(() => readForm(text)).toThrow(UnreadableText)
    expect(() => readForm(Buffer.from(text))).toThrow(UnreadableText)
  })

  it('whose raw bytes are no UTF-8 is refused', () => {
    expect(() => readForm(Buffer.from('a=caf\xe9', 'latin1'))).toThrow(UnreadableText)
  })
})

it('an address is refused for the same reasons, and its reserved characters are left alone', () => {
  for (const address of ['/a/%00', '/a?b=%ff', '/%', '/a?b=%ed%b0%80']) {
    expect(() => checkEncoded(address)).toThrow(UnreadableText)
  }
  for (const address of ['/', '/a%2Fb?c=d+e&f=%F0%9F%98%80#g', '/a?b=http%3A%2F%2Fc%3Fd']) checkEncoded(address)
})

it('text is usable unless it holds U+0000 or half of a surrogate pair', () => {
  for (const text of ['', 'a', '😀', '\u0001\u200f\ufeff\uffff', 'e\u0301']) expect(isUsableText(text)).toBe(true)
  for (const text of ['\0', 'a\0b', '\ud800', 'a\udc00', '\udc00\ud800']) expect(isUsableText(text)).toBe(false)
})
