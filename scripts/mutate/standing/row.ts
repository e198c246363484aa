/** A change that no test notices, and why that is right. */
export interface Standing {
  /** How the file's path ends. */
  readonly file: string
  /** As the run prints it. */
  readonly change: string
  /** Which of those of the file that read alike, counted from one; each of them where it does not say. */
  readonly nth?: number
  readonly why: string
}
