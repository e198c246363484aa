import type { Database } from '@vertexsms/db/client'

/** What a command may use: the database, the public URL, the clock, input and a line out. */
export interface CommandContext {
  readonly db: Database
  readonly issuerUrl: string
  readonly now: Date
  /** The environment; undefined means the process's own. */
  readonly source: Record<string, string | undefined> | undefined
  /** All of standard input. */
  readonly readInput: () => Promise<string>
  readonly print: (line: string) => void
}

/** One operator command. */
export interface Command {
  /** As it is typed, arguments in capitals. */
  readonly usage: string
  readonly summary: string
  /** Option names that the command takes besides its arguments; each takes a value. */
  readonly options?: readonly string[]
  /** How long one statement of it may take, where that is longer than what is set. */
  readonly statementMs?: number
  /** Does the work. Throws {@link CommandError} for what the operator can put right. */
  run(context: CommandContext, args: readonly string[], options: Readonly<Record<string, string>>): Promise<void>
}

/** Something the operator can put right; printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Rows as aligned columns, with a heading. */
export function printTable(print: (line: string) => void, heading: readonly string[], rows: readonly string[][]): void {
  const lines = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  for (const line of lines)
    print(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

/** A text from outside as one safe terminal line: no control characters, no escape sequences. */
export function plainText(text: string): string {
  return text.replace(/\p{C}+/gu, ' ').trim()
}
