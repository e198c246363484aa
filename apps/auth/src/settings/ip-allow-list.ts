/** Entries a token's allow-list may have. */
export const MAX_ALLOW_LIST_ENTRIES = 50

/** The entries of what was typed: separated by new lines, spaces, commas or semicolons; repeats dropped. */
export function splitAllowList(text: string): string[] {
  return [
    ...new Set(
      text
        .toLowerCase()
        .split(/[\s,;]+/)
        .filter(Boolean),
    ),
  ]
}
