// The few parts of Markdown that the generated pages are made of.

/** A table; bars in its cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
}

/** Text as code. */
export const code = (text: string): string => `\`${text}\``

/** A truth in a table. */
export const yesNo = (value: boolean): string => (value ? 'yes' : 'no')
