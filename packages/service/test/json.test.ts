import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JSON_DEPTH_MAX, JSON_VALUES_MAX, JsonRefused, readJson } from '../src/json.ts'

function refusal(text: string | Uint8Array, rules?: Parameters<typeof readJson>[1]) {
  try {
    return { value: readJson(text, rules) }
  } catch (error) {
    if (error instanceof JsonRefused) return [error.problem, error.path.join('.')]
    throw error
  }
}
const nested = (levels: number, open: string, close: string) => open.repeat(levels) + close.repeat(levels)

describe('a JSON text', () => {
  it('is read as JSON.parse reads it, whatever it holds', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 0, max: 2 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        fc.pre(!text.includes('\\u00') && !text.includes('\\ud') && !text.includes('__proto__'))
        expect(readJson(Buffer.from(text), { uniqueNames: true })).toEqual(JSON.parse(text))
      }),
      { numRuns: 500, seed: 7 },
    )
  })

  it.each(['', '{', '}', ']]', '{"a":}', '{"a" "b"}', '"', '"\\', '{"a\\":1}', 'nul', '[1,]', '{"\\x":1}'])(
    'that is none, as %j, is refused',
    (text) => {
      expect(refusal(text, { uniqueNames: true })).toEqual(['syntax', ''])
    },
  )

  it('is UTF-8, with or without a byte order mark (RFC 8259 section 8.1)', () => {
    expect(refusal(Buffer.from('"caf\xe9"', 'latin1'))).toEqual(['syntax', ''])
    expect(readJson(Buffer.from('\ufeff"café"'))).toBe('café')
  })

  it('may be nested to the limit and not beyond, in lists and in objects, in any number of bytes', () => {
    expect(refusal(nested(JSON_DEPTH_MAX, '[', ']'))).toHaveProperty('value')
    expect(refusal(`${'{"a":'.repeat(JSON_DEPTH_MAX)}1${'}'.repeat(JSON_DEPTH_MAX)}`)).toHaveProperty('value')
    expect(refusal(JSON.stringify({ text: '['.repeat(1000) }))).toHaveProperty('value')
    for (const levels of [JSON_DEPTH_MAX + 1, 7_000, 500_000]) {
      expect(refusal(nested(levels, '[', ']'))).toEqual(['depth', ''])
      expect(refusal(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)).toEqual(['depth', ''])
      expect(refusal('['.repeat(levels))).toEqual(['depth', ''])
    }
  })

  it('may hold as many values as the limit says and no more', () => {
    const list = (length: number) => JSON.stringify(Array(length).fill(0))
    expect(refusal(list(JSON_VALUES_MAX - 1))).toHaveProperty('value')
    expect(refusal(list(JSON_VALUES_MAX + 1))).toEqual(['size', ''])
    expect(refusal(JSON.stringify(Array(JSON_VALUES_MAX).fill([])))).toEqual(['size', ''])
    expect(refusal(JSON.stringify({ text: ','.repeat(100_000) }))).toHaveProperty('value')
  })

  it('names each member of an object once, however the name is spelled, where that is asked for', () => {
    const unique = { uniqueNames: true }
    expect(refusal('{"to":1,"to":1}', unique)).toEqual(['repeated', 'to'])
    expect(refusal('{"to":1,"t\\u006f":2}', unique)).toEqual(['repeated', 'to'])
    expect(refusal('{"a":[0,{"b":{"c":1,"d":{"c":2},"c":3}}]}', unique)).toEqual(['repeated', 'a.1.b.c'])
    expect(refusal('{"a":{"b":1},"b":{"a":1,"c":"a"},"c":["a","a"]}', unique)).toHaveProperty('value')
    expect(refusal('{"to":1,"to":1}')).toEqual({ value: { to: 1 } })
  })

  it('holds no U+0000 and no half of a surrogate pair, in no name and no string', () => {
    expect(refusal('{"a":["x",{"b":"c\\u0000"}]}')).toEqual(['text', 'a.1.b'])
    for (const text of ['"\\ud800"', '"\\uDC00\\uD800"', '["a\\udbff"]', '{"a\\u0000":1}']) {
      expect(refusal(text)).toEqual(['text', expect.any(String)])
    }
    expect(readJson('{"a":"\\ud83d\\ude00","b":"\\\\u0000","c":"\\u0001"}')).toEqual({
      a: '😀',
      b: '\\u0000',
      c: '\u0001',
    })
  })

  it('may hold any text below a place whose reader judges it, and nowhere else', () => {
    const rules = { anyTextBelow: ['params', 'arguments'] }
    expect(refusal('{"params":{"arguments":{"to":"\\u0000"}}}', rules)).toHaveProperty('value')
    expect(refusal('{"params":{"name":"\\u0000","arguments":{}}}', rules)).toEqual(['text', 'params.name'])
    expect(refusal('{"arguments":{"to":"\\u0000"}}', rules)).toEqual(['text', 'arguments.to'])
    expect(refusal('{"params":{"arguments":{"__proto__":1}}}', rules)).toEqual(['name', 'params.arguments'])
  })

  it.each(['{"__proto__":{"a":1}}', '{"a":{"\\u005f_proto__":1}}', '{"constructor":{"prototype":{"a":1}}}'])(
    'that would change a prototype, as %j, is refused',
    (text) => {
      expect(refusal(text)).toEqual(['name', expect.any(String)])
      expect(refusal('{"constructor":"Ltd","prototype":1}')).toHaveProperty('value')
    },
  )

  it('is judged in time that grows no faster than it does', () => {
    const started = performance.now()
    const unit = ['"', '\\', '\\"', '[', '{"', '{"a":', ',', ':', '"":', '\\ud800', '{"a":1,']
    for (const pump of unit) {
      refusal(pump.repeat(1_000_000 / pump.length), { uniqueNames: true })
      refusal(`{"a":"${pump.repeat(1_000_000 / pump.length)}`, { uniqueNames: true })
    }
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})
