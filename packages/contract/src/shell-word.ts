/** A text as one word of a POSIX shell, as it is where nothing in it means anything there; zsh reads `[`, `?` and `~` too. */
export function shellWord(text: string): string {
  return /^[\w:/.@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
