/** A run of the test file under one mutant, or under none where no mutant has the id. */
export interface Turn {
  readonly id: number
  /** The numbers of the tests that run, by their order in the file; null for all. */
  readonly tests: readonly number[] | null
}

/** The turn that only looks which mutants are reached. */
export const RECORDS = 0
/** The number of no test: what is reached between the tests, or before them, may matter to all. */
export const OUTSIDE = -1
