import type { LoadReport } from '../harness/load.ts'
import type { Contestant } from './contestants.ts'
import type { Scenario } from './scenarios.ts'

/** One round of one contestant. */
export interface Round extends LoadReport {
  readonly residentBytes: number
}

/** All kept rounds of one contestant in one scenario. */
export interface Row {
  readonly contestant: Contestant
  readonly rounds: readonly Round[]
  readonly discarded: number
}

/** The middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

const rate = (row: Row | undefined): number => median((row?.rounds ?? []).map((round) => round.requestsPerSecond))
/** Requests for each second of processor time the server used: the figure that others on the machine disturb least. */
const perCpuSecond = (rounds: readonly Round[]): number =>
  median(rounds.map((round) => round.requestsPerSecond / (round.cpu.server ?? Number.NaN)))
const fixed = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '-')

/** The table of one scenario: medians over the kept rounds; ratios are taken between the medians. */
export function table(scenario: Scenario, rows: readonly Row[]): string {
  const limit = rate(rows.find((row) => row.contestant.role === 'limit'))
  const ours = rate(rows.find((row) => row.contestant.role === 'ours'))
  const lines = rows.map(({ contestant, rounds, discarded }) => {
    const own = median(rounds.map((round) => round.requestsPerSecond))
    const cells = [
      contestant.title,
      fixed(own, 0),
      fixed(own / limit, 3),
      contestant.role === 'ours' ? '1' : fixed(ours / own, 1),
      fixed(perCpuSecond(rounds), 0),
      fixed(median(rounds.map((round) => round.p50Ms)), 2),
      fixed(median(rounds.map((round) => round.p99Ms)), 2),
      fixed(median(rounds.map((round) => round.cpu.server ?? Number.NaN)), 2),
      fixed(median(rounds.map((round) => (round.cpu.upstream ?? 0) + (round.cpu.load ?? 0))), 2),
      fixed(median(rounds.map((round) => round.residentBytes)) / 1e6, 0),
      `${rounds.length}${discarded > 0 ? ` (${discarded} discarded)` : ''}`,
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    `#### ${scenario.name}`,
    '',
    '| server | requests/s | of the limit | ours is x times | per CPU second | p50 ms | p99 ms | core 0: server | core 1: load + upstream | resident MB | rounds |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...lines,
  ].join('\n')
}

/** Each goal with what was measured, for one scenario of `tools/call`. */
export function goals(rows: readonly Row[]): string[] {
  const limit = rows.find((row) => row.contestant.role === 'limit')
  const ours = rows.find((row) => row.contestant.role === 'ours')
  const p99 = (row: Row | undefined): number => median((row?.rounds ?? []).map((round) => round.p99Ms))
  const line = (goal: string, met: boolean, value: string): string => `- ${met ? 'met' : 'MISSED'}: ${goal}: ${value}`
  const share = rate(ours) / rate(limit)
  const tail = p99(ours) / p99(limit)
  const against = rows
    .filter((row) => row.contestant.role === 'documented' || row.contestant.role === 'prebuilt')
    .map((row) => {
      const goal = row.contestant.role === 'documented' ? 25 : 4
      const times = rate(ours) / rate(row)
      return line(`at least ${goal} times ${row.contestant.title}`, times >= goal, fixed(times, 1))
    })
  return [
    line('at least 0.70 of the limit', share >= 0.7, fixed(share, 3)),
    ...against,
    line('p99 at most 3 times that of the limit', tail <= 3, fixed(tail, 2)),
  ]
}
