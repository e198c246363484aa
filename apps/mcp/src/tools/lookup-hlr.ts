import { VERTEX_ERROR_MEANINGS } from '@vertexsms/contract/api-errors'
import {
  HLR_WAIT_MAX_SECONDS,
  type HlrResult,
  hlrStatusResponseSchema,
  hlrSubmitResponseSchema,
} from '@vertexsms/contract/rest'
import { FairSemaphore } from '@vertexsms/service/fair-semaphore'
import * as z from 'zod'
import { WAITS_MAX } from '../api/client.ts'
import { isReplayed, parseJson, RouteRefusal } from '../api/judge.ts'
import { errorMeaning } from '../api/sms-status.ts'
import { CALL_MAX_MS, EFFECT_TIMEOUT_MS } from '../api/timeouts.ts'
import { Refusal } from '../caller/refusal.ts'
import { failureFor, failureIn, reasonSentence, ToolFailure, type ToolOutput } from '../protocol/failure.ts'
import { type DefinedTool, defineTool, readNames, type ToolContext } from './define-tool.ts'
import { flagField, idempotencyKeyField, idField, invalid, optional, phoneField } from './fields.ts'
import { withWayOut } from './send-failure.ts'

const REPEATED =
  'This lookup was made by an earlier call and is not charged again; to make it once more, call with allowRepeat: true and a new idempotencyKey.'
/** Of one account, with every token it has together, so that it cannot take another's place. */
const WAITS_PER_ACCOUNT = 16
const PROGRESS_EVERY_MS = 5_000
/** Beyond the wait itself, for the API to answer that it is still pending. */
const ANSWER_MARGIN_MS = 5_000
/** What a code is told as that is none. */
const UNKNOWN_ERROR = 999

const output = z.object({
  status: z.enum(['done', 'pending']),
  lookup_id: z.string(),
  msisdn: z.string().nullable().describe('E.164'),
  error_code: z.int().nullable().describe('0 when the subscriber was found; null while pending'),
  error: z.string().nullable(),
  operator: z.string().nullable(),
  operator_id: z.int().nullable(),
  country: z.string().nullable(),
  mcc: z.string().nullable(),
  mnc: z.string().nullable(),
  replayed: z.boolean().optional().describe('By an earlier call, not charged again'),
  ported: z.array(z.object({ operator_id: z.int(), operator: z.string(), country: z.string() })).nullable(),
})
type Output = z.output<typeof output>

/** Asks a number's home network about it; waits a while where the account's share of waits allows, and can be asked again by the lookup's id. */
export function lookupHlr(): DefinedTool {
  const shares = new FairSemaphore({ each: WAITS_PER_ACCOUNT, all: WAITS_MAX })
  return defineTool({
    name: 'lookup_hlr',
    title: 'Look up a number (HLR)',
    description: `Asks the home network of a phone number whether it is in service, which operator serves it now and whether it was ported. Each msisdn is charged. Waits up to ${HLR_WAIT_MAX_SECONDS} seconds; if status is pending, call again with lookupId alone, which is free. Use correct_phone_number instead to only check how a number is written.`,
    // Not read-only: each number is charged, again when it is asked again.
    hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    input: {
      msisdn: optional(phoneField('The number to look up, in E.164 form. Charged.')),
      lookupId: optional(idField('Instead of msisdn: the lookup_id of a lookup that was pending. Free.', 'string')),
      idempotencyKey: optional(idempotencyKeyField('Your own name for this lookup: with the same it is charged once.')),
      allowRepeat: optional(flagField('Look the same number up once more. Needs a new idempotencyKey.')),
    },
    output,
    async run({ msisdn, lookupId, idempotencyKey, allowRepeat }, context) {
      const endsAt = performance.now() + CALL_MAX_MS
      if ((msisdn === undefined) === (lookupId === undefined)) {
        throw invalid('msisdn', 'give either msisdn for a new lookup, or lookupId for one that was pending.')
      }
      if (lookupId !== undefined) {
        const found = await waitForResult(lookupId, endsAt, context, shares)
        return found === undefined || found === 'busy' ? pending(lookupId, null, found) : found
      }
      if (allowRepeat === true && idempotencyKey === undefined) {
        throw invalid('allowRepeat', 'must come with a new idempotencyKey, so that the repeat itself is charged once.')
      }
      const { id, replayed } = await submit({ msisdn: msisdn ?? '', idempotencyKey, allowRepeat }, context)
      // The lookup is paid for: whatever happens now, its id must reach the caller.
      const found = await waitForResult(id, endsAt, context, shares).catch((error: unknown) => {
        if (error instanceof Refusal || error instanceof RouteRefusal || error instanceof ToolFailure) return undefined
        throw error
      })
      const told = found === undefined || found === 'busy' ? pending(id, `+${msisdn}`, found) : found
      return replayed ? { text: `${REPEATED} ${told.text}`, data: { ...told.data, replayed } } : told
    },
  })
}

interface Submission {
  readonly msisdn: string
  readonly idempotencyKey: string | undefined
  readonly allowRepeat: boolean | undefined
}

async function submit(
  { msisdn, idempotencyKey, allowRepeat }: Submission,
  context: ToolContext,
): Promise<{ readonly id: string; readonly replayed: boolean }> {
  try {
    const answer = await context.call({
      method: 'POST',
      path: '/hlr',
      body: JSON.stringify({ msisdn, allowRepeat }),
      timeoutMs: EFFECT_TIMEOUT_MS,
      effect: true,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    })
    const ids = hlrSubmitResponseSchema.safeParse(parseJson(answer.body))
    const id = ids.success ? ids.data[0] : undefined
    if (id === undefined) throw new ToolFailure('SEND_OUTCOME_UNKNOWN')
    return { id: String(id), replayed: isReplayed(answer) }
  } catch (error) {
    const failure = error instanceof RouteRefusal ? lookupFailure(error) : failureIn(error)
    throw failure === undefined ? error : withWayOut(failure, askWithId, idempotencyKey)
  }
}

function askWithId([id]: readonly string[]): string {
  return `lookup_hlr with lookupId ${id} tells its result, which is free.`
}

function lookupFailure({ error, retryAfterSeconds }: RouteRefusal): ToolFailure {
  const failure = failureFor(error, retryAfterSeconds)
  if (error.code !== 'LOOKUP_REFUSED') return failure
  const meaning = reasonSentence(error.details?.reason) ?? errorMeaning(error.error_code)
  return new ToolFailure(
    failure.code,
    [failure.message, ...(meaning === null ? [] : [meaning])].join(' '),
    error.error_code,
  )
}

/**
 * Undefined while the lookup runs, when no time is left before `endsAt`, when the process is about to end, and when the
 * client has gone; `busy` when it runs and was not waited for, because the account waits for as many as it may.
 */
async function waitForResult(
  id: string,
  endsAt: number,
  context: ToolContext,
  shares: FairSemaphore,
): Promise<ToolOutput<Output> | undefined | 'busy'> {
  const account = await context.account()
  if (!shares.take(account)) return (await read(id, 0, context)) ?? 'busy'
  try {
    return await waitFor(id, endsAt, context)
  } catch (error) {
    // The API has a share of its own for each token, and may count callers that come past this server.
    if (error instanceof ToolFailure && error.code === 'RATE_LIMITED') return (await read(id, 0, context)) ?? 'busy'
    throw error
  } finally {
    shares.giveBack(account)
  }
}

async function waitFor(id: string, endsAt: number, context: ToolContext): Promise<ToolOutput<Output> | undefined> {
  const leftSeconds = Math.floor((endsAt - performance.now() - ANSWER_MARGIN_MS) / 1000)
  const waitSeconds = Math.min(HLR_WAIT_MAX_SECONDS, leftSeconds)
  if (waitSeconds <= 0) return undefined
  const startedAt = performance.now()
  const ticking = setInterval(() => {
    const seconds = Math.min(waitSeconds, Math.round((performance.now() - startedAt) / 1000))
    context.progress(seconds, waitSeconds, 'Waiting for the home network')
  }, PROGRESS_EVERY_MS)
  try {
    return await read(id, context.draining.aborted ? 0 : waitSeconds, context)
  } catch (error) {
    if (context.draining.aborted || context.signal.aborted) return undefined
    throw error
  } finally {
    clearInterval(ticking)
  }
}

/** Undefined while the lookup runs. */
async function read(id: string, waitSeconds: number, context: ToolContext): Promise<ToolOutput<Output> | undefined> {
  const answer = await context.call({
    method: 'GET',
    path: `/hlr/${id}?wait=${waitSeconds}`,
    timeoutMs: waitSeconds * 1000 + ANSWER_MARGIN_MS,
    effect: false,
    waits: waitSeconds > 0,
    signal: AbortSignal.any([context.signal, context.draining]),
  })
  const { result, msisdn } = readNames(hlrStatusResponseSchema, answer)
  return result === null ? undefined : done(id, `+${msisdn.replace(/^\+/, '')}`, result)
}

function done(id: string, msisdn: string, result: HlrResult): ToolOutput<Output> {
  const code = /^\d{1,4}$/.test(result.error) ? Number(result.error) : UNKNOWN_ERROR
  const error = code === 0 ? null : (errorMeaning(code) ?? VERTEX_ERROR_MEANINGS[UNKNOWN_ERROR])
  const { operator, operatorId, country, mcc, mnc } = result
  const ported = result.ported.map((step) => ({
    operator_id: step.operatorId,
    operator: step.operator,
    country: step.country,
  }))
  return {
    text: `${msisdn}: ${error === null ? foundOf(result) : `${error} (code ${code})`}`,
    data: {
      status: 'done',
      lookup_id: id,
      msisdn,
      error_code: code,
      error,
      operator,
      operator_id: operatorId,
      country,
      mcc,
      mnc,
      ported,
    },
  }
}

function foundOf({ operator, operatorId, country, mcc, mnc, ported }: HlrResult): string {
  const codes = [
    ...(operatorId === null ? [] : [`operator id ${operatorId}`]),
    ...(mcc === null ? [] : [`MCC ${mcc}`]),
    ...(mnc === null ? [] : [`MNC ${mnc}`]),
  ]
  const others = ported.map((step) => `${step.operator}, ${step.country}`)
  return [
    `in service with ${operator ?? 'unknown operator'}, ${country ?? 'unknown country'}`,
    codes.length === 0 ? '' : ` (${codes.join(', ')})`,
    others.length === 0 ? '' : `, ported; other operators: ${others.join('; ')}`,
    '.',
  ].join('')
}

function pending(id: string, msisdn: string | null, why: 'busy' | undefined): ToolOutput<Output> {
  const reason =
    why === 'busy'
      ? `Not waited for: ${WAITS_PER_ACCOUNT} lookups of this account are being waited for already, as many as may be at a time.`
      : 'No answer from the home network yet.'
  return {
    text: `${reason} Call lookup_hlr again with lookupId ${id}; that is free.`,
    data: {
      status: 'pending',
      lookup_id: id,
      msisdn,
      error_code: null,
      error: null,
      operator: null,
      operator_id: null,
      country: null,
      mcc: null,
      mnc: null,
      ported: null,
    },
  }
}
