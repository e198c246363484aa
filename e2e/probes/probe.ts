import type { Stack } from '../support/stack.ts'

/** One input that an earlier version answered wrongly, and how it is answered now. */
export interface Probe {
  /** What is put in, in a few words. */
  readonly input: string
  /** What the earlier version did with it. */
  readonly before: string
  /** Puts it in and tells in one line what came back. Throws {@link WrongAnswer} where that is not right. */
  run(product: Stack): Promise<string>
}

/** A list of probes, run against one product that was started for it. */
export interface Topic {
  /** What the list is about. */
  readonly title: string
  /** Settings of the product beyond those of the tests, which switch the limits off. */
  readonly env?: Readonly<Record<string, string>>
  readonly probes: readonly Probe[]
}

/** An answer that is not the right one; the message tells what came instead. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer'
}

/** Throws {@link WrongAnswer} with what was seen unless it holds. */
export function expectRight(holds: boolean, seen: string): asserts holds {
  if (!holds) throw new WrongAnswer(seen)
}
