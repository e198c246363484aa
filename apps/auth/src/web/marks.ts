import type { Formats, TimeView } from '../words/format.ts'

/** Values for sentences that are written out as markup: escaped, and set off from the sentence around them. */
export interface Marks {
  /** As it is. */
  text(value: unknown): string
  strong(value: unknown): string
  /** What somebody else wrote, which may run in either direction. */
  name(value: unknown): string
  code(value: unknown): string
  time(value: TimeView): string
  /** An amount of a column: what only aligns it is set apart, for where it stands alone. */
  padded(amount: string): string
  link(href: string, label: string): string
}

/** The {@link Marks} of a language; `harmless` makes any text harmless in HTML. */
export function marksOf(format: Formats, harmless: (text: string) => string): Marks {
  const text = (value: unknown) => harmless(String(value))
  return {
    text,
    strong: (value) => `<strong class="name">${text(value)}</strong>`,
    name: (value) => `<bdi class="name">${text(value)}</bdi>`,
    link: (href, label) => `<a href="${text(href)}">${text(label)}</a>`,
    padded: (amount) => text(amount).replace(/\u2007+/, '<span class="pad">$&</span>'),
    code: (value) => `<code>${text(value)}</code>`,
    time: (value) =>
      `<time datetime="${value.moment.toISOString()}" title="${text(format.full(value))}">${text(format.short(value))}</time>`,
  }
}
