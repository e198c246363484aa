const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

/** True for what may be the id of a row: a UUID in lower case, as we write it (RFC 9562 §4). */
export function isUuid(text: string): boolean {
  return UUID.test(text)
}
