import type { LoadReport } from '../harness/load.ts'
import type { Contestant } from './contestants.ts'
import type { Scenario } from './scenarios.ts'

/** One round of one contestant. */
export interface Round extends LoadReport {
  readonly residentBytes: number
}

/** All rounds of one contestant on one release of Node in one scenario. */
export interface Row {
  readonly contestant: Contestant
  /** Major release. */
  readonly node: string
  readonly rounds: readonly Round[]
}

/** Resident bytes at start and after the load. */
export interface Memory {
  readonly contestant: Contestant
  readonly startBytes: number
  readonly endBytes: number
}

/** The middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** Requests for each second of processor time the server used: on a core of its own the requests a second, and the figure that others on the machine disturb least. */
const perCpuSecond = (round: Round): number => round.requestsPerSecond / (round.cpu.server ?? Number.NaN)
const p99 = (round: Round): number => round.p99Ms
const fixed = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '-')

/** The middle of the ratios of a figure, each taken within one round, so that both sides saw the same machine. */
function ratio(figure: (round: Round) => number, row: Row | undefined, of: Row | undefined): number {
  const pairs = (row?.rounds ?? []).map((round, n) => {
    const other = of?.rounds[n]
    return other === undefined ? Number.NaN : figure(round) / figure(other)
  })
  return median(pairs.filter(Number.isFinite))
}

/** The row of the same release that plays a part. */
function other(rows: readonly Row[], node: string, role: Contestant['role']): Row | undefined {
  return rows.find((row) => row.node === node && row.contestant.role === role)
}

/** The table of one scenario: medians over the rounds; ratios are medians of the ratios within a round. */
export function table(scenario: Scenario, rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const { contestant, node, rounds } = row
    const cells = [
      contestant.title,
      node,
      fixed(median(rounds.map(perCpuSecond)), 0),
      fixed(ratio(perCpuSecond, row, other(rows, node, 'limit')), 2),
      fixed(ratio(perCpuSecond, row, other(rows, node, 'plain')), 2),
      fixed(median(rounds.map((round) => round.requestsPerSecond)), 0),
      fixed(median(rounds.map((round) => round.p50Ms)), 1),
      fixed(median(rounds.map(p99)), 1),
      fixed(ratio(p99, row, other(rows, node, 'limit')), 1),
      fixed(median(rounds.map((round) => round.cpu.server ?? Number.NaN)), 2),
      fixed(median(rounds.map((round) => round.residentBytes)) / 1e6, 0),
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    `#### ${scenario.name}`,
    '',
    '| server | Node | requests per CPU second | of the limit | of Fastify | requests/s | p50 ms | p99 ms | of the limit | core 0 busy | resident MB |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...lines,
  ].join('\n')
}

const line = (goal: string, met: boolean, value: string): string => `- ${met ? 'met' : 'MISSED'}: ${goal}: ${value}`

/** Each goal with what was measured on one release of Node, for one scenario. */
export function goals(scenario: Scenario, rows: readonly Row[], node: string): string[] {
  const of = (role: Contestant['role']) => other(rows, node, role)
  const share = ratio(perCpuSecond, of('ours'), of('limit'))
  if (scenario.method === 'tools/list') {
    return [line(`${scenario.name}: at least 0.75 of the limit`, share >= 0.75, fixed(share, 2))]
  }
  const plain = ratio(perCpuSecond, of('ours'), of('plain'))
  const tail = ratio(p99, of('ours'), of('limit'))
  const against = rows
    .filter(({ contestant: { role } }) => role === 'documented' || role === 'prebuilt')
    .map((row) => {
      const goal = row.contestant.role === 'documented' ? 25 : 4
      const times = ratio(perCpuSecond, of('ours'), row)
      return line(`${scenario.name}: at least ${goal} times ${row.contestant.title}`, times >= goal, fixed(times, 1))
    })
  return [
    line(
      `${scenario.name}: at least 0.80 of the limit, or 0.90 of the plain dispatch in Fastify`,
      share >= 0.8 || plain >= 0.9,
      `${fixed(share, 2)}, ${fixed(plain, 2)}`,
    ),
    line(`${scenario.name}: p99 at most 2 times that of the limit`, tail <= 2, fixed(tail, 1)),
    ...against,
  ]
}

/** The goal for memory after `seconds` of load on both at once. */
export function memoryGoal(seconds: number, of: readonly Memory[]): string {
  const ours = of.find(({ contestant }) => contestant.role === 'ours')
  const limit = of.find(({ contestant }) => contestant.role === 'limit')
  const times = (ours?.endBytes ?? Number.NaN) / (limit?.endBytes ?? Number.NaN)
  const told = of.map(
    ({ contestant, startBytes, endBytes }) =>
      `${contestant.id} ${fixed(endBytes / 1e6, 0)} MB (${fixed(startBytes / 1e6, 0)} at start)`,
  )
  const goal = `resident after ${seconds} s of load at most 1.1 times the bare proxy's`
  return line(goal, times <= 1.1, `${fixed(times, 2)}: ${told.join(', ')}`)
}
