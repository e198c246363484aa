// What the hand-over of a send that waits needs later, as it stands sealed in its row.
import type { Content } from './request.ts'

/** What is kept of a send that waits: its content, and the most that was allowed for it. */
export function writeWaiting(content: Content, maxMicros: bigint | null): string {
  return JSON.stringify({ ...content, maxMicros: maxMicros === null ? null : String(maxMicros) })
}

/** The same, read again; an earlier release kept no price. */
export function readWaiting(text: string): { readonly content: Content; readonly maxMicros: bigint | null } {
  const { maxMicros = null, ...content } = JSON.parse(text) as Content & { readonly maxMicros?: string | null }
  return { content, maxMicros: maxMicros === null ? null : BigInt(maxMicros) }
}

/** What the text of a waiting send is sealed under. */
export function sealedContext(accountId: string, sendId: string): string {
  return `send-text:${accountId}:${sendId}`
}
