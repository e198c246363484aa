import type { TimeView } from '../words/format.ts'

/** A moment as a page shows it; the words for it are those of the page's language (`t.format.short`, `t.format.exact`). */
export function timeView(moment: Date, now: Date): TimeView {
  return { moment, now }
}
