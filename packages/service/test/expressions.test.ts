// No regular expression of the product takes more than linear time, whatever it is given: each is collected from the
// source and run on what it may stumble over, pumped up.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PUMPED_CHARACTERS = 10_000
/** A linear run takes a few microseconds, a quadratic one at least a thousand times as long. */
const MAX_MS = 30

// A slash that begins an expression stands where a value may stand.
const LITERAL = /(?<=[(,=:!&|?[{;]\s?|return )\/(?![*/])((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g

function expressions(): Map<string, RegExp> {
  const found = new Map<string, RegExp>()
  for (const zone of ['apps', 'packages']) {
    for (const name of readdirSync(join(ROOT, zone))) {
      const folder = join(ROOT, zone, name, 'src')
      for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!file.endsWith('.ts')) continue
        for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
          if (/^\s*(?:\/\/|\/?\*)/.test(line)) continue
          for (const [text, pattern = '', flags] of line.matchAll(LITERAL)) found.set(text, new RegExp(pattern, flags))
        }
      }
    }
  }
  return found
}

const PIECES = [
  ...[' ', '\t', '0', '1', 'a', 'Z', '-', '.', '_', '/', ':', ',', '+', '=', '%', '@', '?', '"', '\\', '(', '{', '*'],
  ...['\u0301', '\u00a0', '😀', '\0', ' ,', 'a.', 'a ', '%0', '/a', '\r'],
]
const TAILS = ['\u0001', '?']

function slowest(expression: RegExp): [number, string] {
  const own = [...expression.source.matchAll(/[A-Za-z0-9/:,.?=-]{2,20}/g)].map(([text]) => text)
  const heads = ['', 'a', '/', 'https://', ...own]
  let worst: [number, string] = [0, '']
  for (const head of heads) {
    for (const piece of [...PIECES, ...own]) {
      for (const tail of TAILS) {
        const input = head + piece.repeat(PUMPED_CHARACTERS / piece.length) + tail
        const run = () => {
          const started = performance.now()
          input.replace(expression, '')
          return performance.now() - started
        }
        let took = run()
        // Another process may have had the processor.
        for (let again = 0; took > MAX_MS && again < 3; again++) took = Math.min(took, run())
        if (took > MAX_MS) return [took, JSON.stringify([head, piece, tail])]
        if (took > worst[0]) worst = [took, JSON.stringify([head, piece, tail])]
      }
    }
  }
  return worst
}

test('every expression of the source is linear on pumped input', { timeout: 120_000 }, () => {
  const found = expressions()
  expect(found.size).toBeGreaterThan(60)
  const slow = [...found].flatMap(([text, expression]) => {
    const [took, input] = slowest(expression)
    return took > MAX_MS ? [`${text} took ${Math.round(took)} ms on ${input}`] : []
  })
  expect(slow).toEqual([])
})

test('an expression that is not linear is found', () => {
  for (const quadratic of [/ +$/, /\/+$/]) {
    expect(slowest(quadratic)[0]).toBeGreaterThan(MAX_MS)
  }
})
