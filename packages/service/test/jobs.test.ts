import type { FastifyBaseLogger } from 'fastify'
import { pino } from 'pino'
import { expect, it, vi } from 'vitest'
import { createJobRunner, type Job } from '../src/jobs.ts'
import { createLogger } from '../src/logger.ts'

const log = pino({ level: 'silent' }) as unknown as FastifyBaseLogger
const clock = async () => new Date()

/** A job whose turns end when the test says so. */
function heldJob(name: string, more: Partial<Job> = {}) {
  const turns: (() => void)[] = []
  let begun: (() => void) | undefined
  const job: Job = {
    name,
    everyMs: 1,
    ...more,
    run: () =>
      new Promise((resolve) => {
        turns.push(() => resolve(0))
        begun?.()
      }),
  }
  const begins = () => new Promise<void>((resolve) => (begun = resolve))
  return { job, turns, begins }
}

it('a turn begins only after the one before has ended, however often the job is woken', async () => {
  const held = heldJob('slow')
  const quick = { runs: 0 }
  const other: Job = { name: 'quick', everyMs: 1, run: async () => Number(++quick.runs < 0) }
  const runner = createJobRunner([held.job, other], clock, log)
  const first = held.begins()
  runner.start()
  await first
  for (const before = quick.runs; quick.runs < before + 3; ) {
    runner.wakeIn('slow', 0)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(held.turns).toHaveLength(1)
  const second = held.begins()
  held.turns[0]?.()
  await second
  expect(held.turns).toHaveLength(2)
  held.turns[1]?.()
  await runner.stop()
})

it('stopping waits for the turn that runs, and no other begins', async () => {
  const held = heldJob('slow')
  const runner = createJobRunner([held.job], clock, log)
  const first = held.begins()
  runner.start()
  await first
  let stopped = false
  const stopping = runner.stop().then(() => {
    stopped = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(stopped).toBe(false)
  held.turns[0]?.()
  await stopping
  expect(held.turns).toHaveLength(1)
})

it('a job that need not run at the start waits for its time, and comes when it is woken', async () => {
  const later = heldJob('later', { everyMs: 3_600_000, firstAfterMs: 3_600_000 })
  const atOnce = heldJob('at once', { everyMs: 3_600_000 })
  const runner = createJobRunner([later.job, atOnce.job], clock, log)
  const first = atOnce.begins()
  runner.start()
  await first
  expect(later.turns).toHaveLength(0)
  const woken = later.begins()
  runner.wakeIn('later', 0)
  await woken
  for (const end of [...later.turns, ...atOnce.turns]) end()
  await runner.stop()
})

it('a wake-up is for one job, which has to be there', async () => {
  const asleep = { everyMs: 3_600_000, firstAfterMs: 3_600_000 }
  const meant = heldJob('meant', asleep)
  const other = heldJob('other', asleep)
  const runner = createJobRunner([other.job, meant.job], clock, log)
  runner.start()
  const begun = meant.begins()
  runner.wakeIn('meant', 0)
  await begun
  expect(other.turns).toHaveLength(0)
  expect(() => runner.wakeIn('none', 0)).toThrow('none')
  meant.turns[0]?.()
  await runner.stop()
})

it('the time of all nodes is asked for by a job that needs it, and by no other', async () => {
  let asked = 0
  const at = new Date(0)
  const counting = async () => {
    asked++
    return at
  }
  const needs = heldJob('needs')
  const times: Date[] = []
  const job: Job = { name: 'timed', everyMs: 3_600_000, run: async (ask) => Number(times.push(await ask()) < 0) }
  const runner = createJobRunner([job, { ...needs.job, everyMs: 3_600_000 }], counting, log)
  const begun = needs.begins()
  runner.start()
  await begun
  needs.turns[0]?.()
  await runner.stop()
  expect(times).toEqual([at])
  expect(asked).toBe(1)
})

it('a job that fails is named in the log, whatever words its name has', async () => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const real = createLogger({ service: 'test', level: 'warn', destination }) as unknown as FastifyBaseLogger
  let failed: () => void = () => {}
  const afterwards = new Promise<void>((resolve) => (failed = resolve))
  const job: Job = {
    name: 'clean-up of old rows',
    everyMs: 60_000,
    run: async () => {
      setImmediate(failed)
      throw new Error('no database')
    },
  }
  const runner = createJobRunner([job], clock, real)
  runner.start()
  await afterwards
  await runner.stop()
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ msg: 'job failed', event: 'clean-up_of_old_rows' }),
  ])
})

it('a job that goes on failing is told once a minute, each by itself, and is tried as often as before', async () => {
  vi.useFakeTimers()
  try {
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    const real = createLogger({ service: 'test', level: 'warn', destination }) as unknown as FastifyBaseLogger
    let tries = 0
    const failing = (name: string): Job => ({
      name,
      everyMs: 250,
      run: async () => {
        tries += 1
        throw new Error('no database')
      },
    })
    const runner = createJobRunner([failing('one'), failing('other')], clock, real)
    runner.start()
    const told = () => lines.map((line) => JSON.parse(line).event)
    await vi.advanceTimersByTimeAsync(59_000)
    expect(told()).toEqual(['one', 'other'])
    expect(tries).toBeGreaterThan(100)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(told()).toEqual(['one', 'other', 'one', 'other'])
    await runner.stop()
  } finally {
    vi.useRealTimers()
  }
})
