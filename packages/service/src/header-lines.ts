/**
 * True for the lines of a request (Node's `rawHeaders`: names and values in turn) that hold this header more than once; `name`
 * in lower case. Of a header that must stand once Node keeps the first line, and whoever stands before us may have read
 * another (RFC 9110 §5.3).
 */
export function standsTwice(rawHeaders: readonly string[], name: string): boolean {
  let lines = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const written = rawHeaders[at]
    if (written?.length === name.length && written.toLowerCase() === name) lines += 1
  }
  return lines > 1
}
