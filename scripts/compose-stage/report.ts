// One line for every check, and the count at the end.

import { writeFileSync } from 'node:fs'

const tally = { passed: 0, failed: 0 }

/** Ends the stage early: what follows could not say anything. */
export class StageAborted extends Error {}

/** Runs one check and prints its line; `run` may return a fact for the line. Rejections count as failures. */
export async function check(title: string, run: () => Promise<unknown>): Promise<boolean> {
  const started = performance.now()
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1)
  try {
    const fact = await run()
    tally.passed += 1
    console.log(`ok   ${title} (${seconds()} s)${typeof fact === 'string' ? `: ${fact}` : ''}`)
    return true
  } catch (error) {
    tally.failed += 1
    const text = error instanceof Error ? error.message : String(error)
    console.log(`FAIL ${title} (${seconds()} s): ${text.split('\n').slice(0, 12).join('\n       ')}`)
    return false
  }
}

/** Counts a failure outside any check: the stage itself broke. */
export function broken(error: unknown): void {
  tally.failed += 1
  console.log(`FAIL the stage itself: ${error instanceof Error ? error.stack : String(error)}`)
}

/** A check without which the rest is pointless. Throws StageAborted. */
export async function must(title: string, run: () => Promise<unknown>): Promise<void> {
  if (!(await check(title, run))) throw new StageAborted(title)
}

/** Throws `message` unless the condition holds. */
export function expectThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** Hands the count to ./run, which adds its own checks of the teardown. */
export function handOver(): void {
  const file = process.env.COUNT_FILE
  if (file) writeFileSync(file, `${tally.passed} ${tally.failed}\n`)
  else console.log(`compose: ${tally.passed} passed, ${tally.failed} failed`)
}
