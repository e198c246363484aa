const MESSAGE = /^\d{1,18}$/

/** The id of a message in an address; null for anything else. */
export function readMessageId(text: string): bigint | null {
  return MESSAGE.test(text) ? BigInt(text) : null
}
