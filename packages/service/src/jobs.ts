import type { FastifyBaseLogger } from 'fastify'
import { within } from './within.ts'

/** The clock by which every node judges what is due. */
export type JobClock = () => Promise<Date>

/** Something that is done again and again in the background. */
export interface Job {
  /** Words of ours, by which it is woken; the log, which withholds whatever has spaces, joins them by `_`. */
  readonly name: string
  /** The longest time between two runs. */
  readonly everyMs: number
  /** The time to the first run; at once when absent. */
  readonly firstAfterMs?: number
  /**
   * Does what is due; returns how much that was, and is asked again at once while it is not zero. What needs the time of all
   * nodes asks for it: it is a question to the database, and most turns find nothing. What must not begin any more once
   * the process stops asks for that.
   */
  run(clock: JobClock, isStopping: () => boolean): Promise<number>
  /** Waits for what runs on between its turns. */
  stop?(): Promise<void>
}

/** The jobs of one process. */
export interface JobRunner {
  start(): void
  /**
   * Runs the job of this name after so many milliseconds, when that comes sooner than its turn. What is asked for while a
   * sooner turn is set is left to the turns after that. Throws where no job has the name.
   */
  wakeIn(name: string, ms: number): void
  /** No job begins any more; the running ones are waited for, but not longer than a stopping process may take. */
  stop(): Promise<void>
}

/** After a failed run (the database may be away) the next one waits this long. */
const AFTER_FAILURE_MS = 1_000

/** A job that goes on failing is told no more often than this: an outage is one alarm, not one each second. */
const ALARM_EVERY_MS = 60_000

/** A job that waits for somebody else's server does not hold up the end of the process. */
const STOP_WITHIN_MS = 2_000

/** A timer may come a moment before its time, and a turn that looks too early finds nothing until the next. */
const EARLY_MS = 2

/** Rounds of one run: a job that always finds more does not keep the others from being stopped. */
const ROUNDS_MAX = 100

/** Runs jobs side by side in this process. What is due lies in the database, so nothing depends on being woken. */
export function createJobRunner(jobs: readonly Job[], clock: JobClock, log: FastifyBaseLogger): JobRunner {
  const loops = jobs.map((job) => createLoop(job, clock, log))
  return {
    start() {
      for (const loop of loops) loop.start()
    },
    wakeIn(name, ms) {
      const loop = loops[jobs.findIndex((job) => job.name === name)]
      if (loop === undefined) throw new Error(`No job is called ${name}.`)
      loop.schedule(ms > 0 ? ms + EARLY_MS : 0)
    },
    async stop() {
      await within(Promise.all(loops.map((loop) => loop.stop())), STOP_WITHIN_MS)
    },
  }
}

function createLoop(job: Job, clock: JobClock, log: FastifyBaseLogger) {
  let timer: NodeJS.Timeout | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let running: Promise<void> | undefined
  let started = false
  let stopped = false
  let alarmedAt = Number.NEGATIVE_INFINITY

  function alarm(err: unknown): void {
    const at = performance.now()
    if (at < alarmedAt + ALARM_EVERY_MS) return
    alarmedAt = at
    log.warn({ event: job.name.replaceAll(' ', '_'), err }, 'job failed')
  }

  async function run(): Promise<void> {
    let pauseMs = job.everyMs
    try {
      for (let round = 0; round < ROUNDS_MAX && !stopped && (await job.run(clock, () => stopped)) > 0; round++);
    } catch (error) {
      pauseMs = Math.max(job.everyMs, AFTER_FAILURE_MS)
      alarm(error)
    }
    running = undefined
    schedule(pauseMs)
  }

  function begin(): void {
    timer = undefined
    dueAt = Number.POSITIVE_INFINITY
    // A wake-up during a run is served by a run of its own: the running one may have looked too early.
    if (running) running = running.then(() => schedule(0))
    else if (!stopped) running = run()
  }

  function schedule(inMs: number): void {
    const at = performance.now() + inMs
    if (stopped || !started || at >= dueAt) return
    clearTimeout(timer)
    dueAt = at
    timer = setTimeout(begin, Math.min(inMs, job.everyMs))
  }

  return {
    start(): void {
      started = true
      schedule(job.firstAfterMs ?? 0)
    },
    schedule,
    async stop(): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await running
      await job.stop?.()
    },
  }
}
