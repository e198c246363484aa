// Message parts as 3GPP TS 23.038 (alphabets) and TS 23.040 (concatenation, user data header) define them.

import { USER_DATA_OCTETS } from '@vertexsms/contract/rest'

/** 3GPP TS 23.038 section 6.2.1: the default alphabet; one septet each. */
const GSM7_BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'

/** Section 6.2.1.1: the extension table; an escape and a septet each. */
const GSM7_EXTENSION = '\f^{}\\[~]|€'

const septets = new Map([
  ...[...GSM7_BASIC].map((character) => [character, 1] as const),
  ...[...GSM7_EXTENSION].map((character) => [character, 2] as const),
])

/** Data coding of a message: 0 GSM-7, 1 8-bit, 2 UCS-2. */
export type Coding = 0 | 1 | 2

/** Header that ties the parts of a long message together: length octet and information element (TS 23.040 9.2.3.24.1). */
const CONCATENATION_OCTETS = 6

/** The most parts of one message: the concatenation header counts in one octet. */
export const PARTS_MAX = 255

/** How a text is split, or why it cannot be sent. */
export interface Segmentation {
  readonly coding: Coding
  readonly parts: number | 'not_in_coding' | 'too_long'
}

/** The narrowest coding that carries the text: GSM-7, else UCS-2. */
function detectCoding(text: string): 0 | 2 {
  for (const character of text) if (!septets.has(character)) return 2
  return 0
}

/**
 * The number of parts of a text. A coding that the caller names switches splitting off. `udh` is a user data header in
 * hexadecimal that the caller sends along: it takes room, and a message that carries one is never split either.
 */
export function segment(text: string, named?: Coding, udh = ''): Segmentation {
  const coding = named ?? detectCoding(text)
  const units = unitsOf(text, coding)
  if (units === null) return { coding, parts: 'not_in_coding' }
  const headerOctets = udh.length / 2
  const single = capacity(coding, USER_DATA_OCTETS - headerOctets)
  const total = units.reduce((sum, unit) => sum + unit, 0)
  if (total <= single) return { coding, parts: 1 }
  if (named !== undefined || headerOctets > 0) return { coding, parts: 'too_long' }
  const perPart = capacity(coding, USER_DATA_OCTETS - CONCATENATION_OCTETS)
  const parts = countParts(units, perPart)
  return { coding, parts: parts > PARTS_MAX ? 'too_long' : parts }
}

/** What each character takes: septets, octets or UCS-2 units; null where a character does not fit the coding. */
function unitsOf(text: string, coding: Coding): number[] | null {
  const units: number[] = []
  for (const character of text) {
    const size =
      coding === 0 ? septets.get(character) : coding === 2 ? character.length : character <= '\u00ff' ? 1 : undefined
    if (size === undefined) return null
    units.push(size)
  }
  return units
}

function capacity(coding: Coding, octets: number): number {
  if (coding === 0) return Math.floor((octets * 8) / 7)
  return coding === 2 ? Math.floor(octets / 2) : octets
}

/** An escape sequence or a surrogate pair is never torn between two parts. */
function countParts(units: readonly number[], perPart: number): number {
  let parts = 1
  let used = 0
  for (const unit of units) {
    if (used + unit > perPart) {
      parts++
      used = 0
    }
    used += unit
  }
  return parts
}
