import { beforeAll, describe, expect, test } from 'vitest'
import { caseOf } from '../fuzz/cases.ts'
import { type FuzzReport, growth, runFuzz } from '../fuzz/engine.ts'
import { judge } from '../fuzz/judge.ts'

// The reduced run with a fixed seed; `pnpm -F @vertexsms/bench fuzz` runs the full count.
const SEED = 20_260_728
const CASES = 2000

describe('the MCP server under fuzzed requests', () => {
  let report: FuzzReport
  beforeAll(async () => {
    report = await runFuzz({ seed: SEED, from: 0, count: CASES, connections: 16, stalled: 0 })
  }, 300_000)

  test('answers every request rightly: never 5xx, never an internal failure, never silence', () => {
    expect(report.failures).toEqual([])
  })

  test('goes on answering sound calls between the broken ones', () => {
    const sound = report.statuses.get('sound call')
    expect([...(sound?.keys() ?? [])]).toEqual(['200'])
    expect(sound?.get('200')).toBeGreaterThan(100)
  })

  test('logs no error and no token', () => {
    expect(report.errorLines).toEqual([])
    expect(report.tokenInOutput).toBe(false)
  })

  test('holds no connection when its clients have gone', () => {
    expect(report.connectionsLeft).toBe(0)
  })

  test('keeps its memory flat: under 20 MB of growth over the last half', () => {
    const { rss, heap } = growth(report.memory)
    expect(rss).toBeLessThan(20e6)
    expect(heap).toBeLessThan(20e6)
  })
})

describe('the fuzzer itself', () => {
  test('makes the same case again from its number', () => {
    for (const index of [0, 17, 2999]) {
      expect(caseOf(SEED, index, 'token').pieces).toEqual(caseOf(SEED, index, 'token').pieces)
    }
    expect(caseOf(SEED, 0, 'token').pieces).not.toEqual(caseOf(SEED, 1, 'token').pieces)
  })

  const sound = { kind: 'sound call', pieces: [], answers: 1, statuses: [200] }
  const answer = (status: number, body: string, headers: Record<string, string> = {}) => ({
    answers: [{ status, headers: new Map(Object.entries(headers)), body }],
    end: 'answered' as const,
  })
  test.each([
    ['a 5xx', answer(500, '')],
    ['a wrong status', answer(404, 'BITE')],
    ['a lost result', answer(200, '{}')],
    ['a trace', answer(200, 'BITE\n    at serve (server.ts:1)')],
    ['an internal failure in a 200', answer(200, '{"error":{"code":-32603,"message":"BITE"}}')],
    ['the token in the answer', answer(200, 'BITE the-secret')],
    ['a body that is no JSON', answer(200, 'BITE', { 'content-type': 'application/json' })],
    ['silence', { answers: [], end: 'silent' as const }],
    ['a closed connection', { answers: [], end: 'closed' as const }],
  ])('finds %s', (_what, outcome) => {
    expect(judge(sound, outcome, 'the-secret')).not.toBeNull()
  })

  test('lets a right answer pass', () => {
    const right = answer(200, '{"result":"BITE"}', { 'content-type': 'application/json' })
    expect(judge(sound, right, 'the-secret')).toBeNull()
  })
})
