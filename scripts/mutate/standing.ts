/** A change that no test notices, and why that is right. */
export interface Standing {
  /** How the file's path ends. */
  readonly file: string
  /** As the run prints it. */
  readonly change: string
  readonly why: string
}

/** Every mutant that may survive. */
export const STANDING: readonly Standing[] = []
