/** What no text of ours can hold, and no database stores: the null character, and halves of surrogate pairs. */
const UNUSABLE = /[\0\p{Surrogate}]/u

/** Fields that one form or query may have; our longest form has two dozen. */
const FIELDS_MAX = 500

/** Input that is not text, so that nothing may be done with it. Answered with 400 in the endpoint's own shape. */
export class UnreadableText extends Error {
  override readonly name = 'UnreadableText'
  readonly statusCode = 400
}

/** True for text that can be shown, compared and stored as it is: no U+0000 and no lone surrogates. */
export function isUsableText(text: string): boolean {
  return !UNUSABLE.test(text)
}

// One for all: nothing of a text stays in it, and making one costs more than a short body does.
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** Bytes as UTF-8 text, a byte order mark aside. Throws {@link UnreadableText} for anything else: replaced silently, it would change. */
export function readUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw new UnreadableText('not UTF-8')
  }
}

/**
 * The fields of a form or a query (`application/x-www-form-urlencoded`), repeated ones included. Throws
 * {@link UnreadableText} for percent signs that encode nothing, bytes that are not UTF-8, text that is not usable, and
 * more fields than any request of ours has.
 */
export function readForm(encoded: Uint8Array | string): URLSearchParams {
  const text = typeof encoded === 'string' ? encoded : readUtf8(encoded)
  checkEncoded(text)
  const form = new URLSearchParams(text)
  if (form.size > FIELDS_MAX) throw new UnreadableText('too many fields')
  return form
}

/** Throws {@link UnreadableText} unless every percent-encoded character of a path, query or form is usable text. */
export function checkEncoded(encoded: string): void {
  let decoded: string
  try {
    // Refuses broken escapes, and bytes that are not UTF-8, which surrogates are not either (RFC 3629 §3).
    decoded = decodeURIComponent(encoded)
  } catch {
    throw new UnreadableText('broken percent-encoding')
  }
  if (!isUsableText(decoded)) throw new UnreadableText('unusable characters')
}
