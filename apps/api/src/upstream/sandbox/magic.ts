import { isVertexErrorCode, type VertexErrorCode } from '@vertexsms/contract/api-errors'

// +44 7700 900000-900999 is the range that the UK regulator keeps for drama: no subscriber has such a number.

/** The first digits of every magic number; the three digits after them choose what happens. */
const MAGIC_PREFIX = '447700900'

/** Where a magic number belongs: the United Kingdom. */
export const MAGIC_COUNTRY = 'GB'

const MAGIC = new RegExp(`^${MAGIC_PREFIX}(\\d{3})$`)

/** The numeric code a magic number stands for, 0 for one that is delivered; undefined for every other number. */
export function magicCode(msisdn: string): VertexErrorCode | undefined {
  const digits = MAGIC.exec(msisdn)?.[1]
  if (digits === undefined) return undefined
  const code = Number(digits)
  return isVertexErrorCode(code) ? code : 0
}
