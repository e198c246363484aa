import { NO_LIMITS, type SpenderLimits, writeLimits } from '@vertexsms/contract/spender-limits'
import { JsonRefused, readJson } from '@vertexsms/service/json'
import * as z from 'zod'
import { limitMembers, limitsOfMembers } from './limits.ts'

/** The one type of authorization details that there is (RFC 9396 §2). */
export const DETAILS_TYPE = 'vertexsms_send'

const detailsSchema = z.array(z.strictObject({ type: z.literal(DETAILS_TYPE), ...limitMembers })).length(1)

/** Authorization details that cannot be granted; the message tells the member and never repeats a value. */
export class DetailsRefused extends Error {
  override readonly name = 'DetailsRefused'
}

/**
 * The limits that an `authorization_details` parameter asks for: one object of our type with members of ours; what it
 * leaves out it does not ask to be limited. Throws {@link DetailsRefused} for everything else (RFC 9396 §5).
 */
export function readAuthorizationDetails(parameter: string): SpenderLimits {
  const parsed = detailsSchema.safeParse(json(parameter))
  const [detail] = parsed.data ?? []
  if (detail) return limitsOfMembers(detail)
  const issue = parsed.error?.issues[0]
  throw new DetailsRefused(problemOf(issue))
}

function json(parameter: string): unknown {
  try {
    return readJson(parameter, { uniqueNames: true })
  } catch (error) {
    if (error instanceof JsonRefused) throw new DetailsRefused('authorization_details must be JSON, each member once')
    throw error
  }
}

function problemOf(issue: z.core.$ZodIssue | undefined): string {
  const [, member] = issue?.path ?? []
  if (issue?.code === 'unrecognized_keys') return `${DETAILS_TYPE} has a member that is not known`
  if (member === 'type') return `the one type of authorization details is ${DETAILS_TYPE}`
  if (typeof member !== 'string' || !issue) return `authorization_details must be a list of one ${DETAILS_TYPE}`
  return `${member} ${issue.code === 'custom' || issue.code === 'too_small' || issue.code === 'too_big' ? issue.message : 'is not valid'}`
}

/** Limits as a token response and an introspection carry them (RFC 9396 §7, §9.2). */
export function writeAuthorizationDetails(limits: SpenderLimits | null): readonly Record<string, unknown>[] {
  return [{ type: DETAILS_TYPE, ...writeLimits(limits ?? NO_LIMITS) }]
}
