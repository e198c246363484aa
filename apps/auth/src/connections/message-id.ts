const MESSAGE = /^\d{1,18}$/

/** The id of a message as it is typed or stands in an address; null for anything else. */
export function readMessageId(text: string): bigint | null {
  return MESSAGE.test(text) ? BigInt(text) : null
}
