import type { SendSmsRequest } from '@vertexsms/contract/rest'
import { ApiError } from '../http/api-error.ts'
import { type Coding, segment } from './segments.ts'

/** Nothing but spaces, line breaks, fillers and marks that nobody sees; U+2800 is the pattern of Braille without dots. */
const BLANK = /^[\s\p{Z}\p{Cc}\p{Cf}\p{DI}\u2800]*$/u

/** How a text goes out. */
export interface ReadText {
  readonly coding: Coding
  /** The caller named the coding, which switches splitting off. */
  readonly codingNamed: boolean
  readonly parts: number
}

/** Coding and parts of a message. Throws INVALID_INPUT for a text that is blank or does not fit. */
export function readText({
  message,
  udh,
  coding: named,
}: Pick<SendSmsRequest, 'message' | 'udh' | 'coding'>): ReadText {
  if (BLANK.test(message)) throw new ApiError('INVALID_INPUT', { reason: 'message_blank' })
  if (udh !== undefined && named === undefined) throw new ApiError('INVALID_INPUT', { reason: 'udh_without_coding' })
  const { coding, parts } = segment(message, named, udh)
  if (parts === 'not_in_coding') throw new ApiError('INVALID_INPUT', { reason: 'message_not_in_coding' })
  if (parts === 'too_long') {
    throw new ApiError('INVALID_INPUT', {
      reason: named === undefined ? 'message_too_long' : 'message_not_in_one_part',
    })
  }
  return { coding, codingNamed: named !== undefined, parts }
}
