// Senders that are registered at the real operator. Their ids are ours: the operator's stands in our row and is never shown.
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import { PIN_MINUTES, PIN_TRIES, type SenderIdRequest } from '@vertexsms/contract/rest'
import { type Database, Prisma } from '@vertexsms/db/client'
import { oweReviews } from '../../callback-lane.ts'
import { ApiError, noSuch } from '../../http/api-error.ts'
import { toApiError } from '../../http/error-answers.ts'
import { notMobile, numberReader } from '../../message/number.ts'
import { checkSenderName } from '../../message/sender.ts'
import { newNumberId } from '../ids.ts'
import { createPinLimits } from '../pin-limit.ts'
import type { Caller, Upstream } from '../upstream.ts'
import type { VertexAccess } from './operator.ts'
import { confirmRequest, judgeConfirmation, judgeSender, senderRequest } from './registrations.ts'
import type { ReportAddresses } from './report-address.ts'

/** What a registration is refused with before the operator was asked, or without his having heard of it. */
const UNASKED: ReadonlySet<ApiErrorCode> = new Set(['UNAVAILABLE', 'UPSTREAM_ACCOUNT_MISSING', 'UPSTREAM_CHANGED'])

/** What registration needs. */
export interface SenderOptions {
  readonly db: Database
  readonly access: VertexAccess
  readonly addresses: ReportAddresses
  /** 32 bytes, under which the counters of PINs are kept. */
  readonly pinKey: Uint8Array
  /** Throws URL_NOT_ALLOWED; gives the URL as it is kept. */
  readonly checkCallbackUrl: (url: string | undefined, field: string) => string | undefined
}

/** Registers and confirms. */
export interface Senders extends Pick<Upstream, 'registerSender' | 'confirmSender'> {
  /** Our id of a number that was sent its PIN. Throws the refusal, and OUTCOME_UNKNOWN. */
  registerNumber(caller: Caller, name: string, generation: number): Promise<string>
}

/** Registers and confirms senders at the operator. */
export function createSenders({ db, access, addresses, pinKey, checkCallbackUrl }: SenderOptions): Senders {
  const pinLimits = createPinLimits(db, pinKey)
  const readNumber = numberReader()

  async function register(caller: Caller, request: SenderIdRequest, generation: number, url: string | null) {
    const { accountId } = caller
    const id = newNumberId()
    const report = url === null ? null : addresses.of('sender', id)
    const { type, name } = request
    // Before he is asked: the end of a review may be told before his answer, or though that was lost.
    await unasked(
      db.upstreamSender.create({
        data: { id, accountId, generation, type, name, notificationUrl: url, createdAt: caller.now() },
      }),
    )
    const outcome = await access.handOver(accountId, generation, senderRequest(request, report), (answer) =>
      judgeSender(type, answer),
    )
    if (outcome.kind === 'refused') {
      // Where it stays nobody is told of it, and it cannot be confirmed.
      await db.upstreamSender.deleteMany({ where: { id } }).catch(() => {})
      const { code, message, errorCode, reason } = outcome
      throw new ApiError(code, {
        ...(message === undefined ? {} : { message }),
        ...(reason === undefined ? {} : { reason }),
        ...(errorCode === undefined ? {} : { errorCode }),
        ...(code === 'RATE_LIMITED' || code === 'UNAVAILABLE' ? { headers: { 'retry-after': '2' } } : {}),
      })
    }
    if (outcome.kind === 'unknown') throw new ApiError('OUTCOME_UNKNOWN')
    const { count } = await db.upstreamSender
      .updateMany({ where: { id }, data: { reference: outcome.reference } })
      .catch(() => ({ count: 0 }))
    if (count === 0) throw new ApiError('OUTCOME_UNKNOWN')
    return String(id)
  }

  const registerNumber: Senders['registerNumber'] = async (caller, name, generation) => {
    const number = readNumber(name)
    if ('fix' in number || number.type !== 'mobile') throw notMobile('INVALID_INPUT', 'name', number)
    const takeBack = await unasked(pinLimits.countPin(caller.accountId, number.msisdn))
    return register(caller, { type: 'MSISDN', name: number.msisdn }, generation, null).catch(async (error: unknown) => {
      if (error instanceof ApiError && UNASKED.has(error.code)) await takeBack()
      throw error
    })
  }

  return {
    registerNumber,

    async registerSender(caller: Caller, request: SenderIdRequest): Promise<string> {
      const { generation } = await access.tokens.of(caller.accountId)
      if (request.type === 'MSISDN') return registerNumber(caller, request.name, generation)
      checkSenderName(request)
      const url = checkCallbackUrl(request.notificationUrl, 'notificationUrl') ?? null
      if (url !== null && addresses.of('sender', 0n) === null) {
        throw new ApiError('CALLBACK_ADDRESS_MISSING', { message: NO_NOTIFICATION })
      }
      return register(caller, request, generation, url)
    },

    async confirmSender({ accountId, now }: Caller, id: bigint, code: string): Promise<void> {
      const { generation } = await access.tokens.of(accountId)
      // A try is counted in the row before the operator is asked, so that nodes and parallel requests share the tries.
      const { count } = await db.upstreamSender.updateMany({
        where: {
          id,
          accountId,
          generation,
          type: 'MSISDN',
          reference: { not: null },
          confirmedAt: null,
          tries: { lt: PIN_TRIES },
          createdAt: { gt: new Date(now().getTime() - PIN_MINUTES * 60_000) },
        },
        data: { tries: { increment: 1 } },
      })
      const row = await db.upstreamSender.findFirst({ where: { id, accountId } })
      if (row === null || row.reference === null) throw noSuch('sender')
      if (row.type !== 'MSISDN') {
        throw new ApiError('CONFLICT', { message: 'A name is reviewed, not confirmed by a code.' })
      }
      if (row.confirmedAt !== null) throw new ApiError('CONFLICT', { message: 'The sender is already confirmed.' })
      if (count === 0) throw new ApiError('CODE_EXPIRED')
      const takeBackGuess = await pinLimits.countGuess(accountId)
      // Nobody looked at the code; where the try cannot be given back it stays used.
      const giveBack = async () => {
        await takeBackGuess()
        await db.upstreamSender
          .updateMany({ where: { id, tries: { gt: 0 } }, data: { tries: { decrement: 1 } } })
          .catch(() => {})
      }
      const answer = await access
        .ask(accountId, confirmRequest(row.reference, code), generation)
        .catch(async (error: unknown) => {
          // Its token is another one, or cannot be had: he was not asked.
          await giveBack()
          throw error
        })
      if (answer.kind === 'silence' && !answer.handedOver) await giveBack()
      judgeConfirmation(answer)
      await db.upstreamSender.updateMany({ where: { id, accountId }, data: { confirmedAt: now() } })
    },
  }
}

/** What fails before the operator was asked is refused: its outcome is known. */
function unasked<Result>(work: Promise<Result>): Promise<Result> {
  return work.catch((error: Error) => {
    throw toApiError(error)
  })
}

const NO_NOTIFICATION =
  'Notifications need a public address of this installation: set REPORT_ADDRESS, or leave notificationUrl out. Nothing was registered.'

/** Takes the end of a name's review: its owner is told once, by the outbox and under our id. */
export async function takeReview(db: Database, id: bigint, status: 'confirmed' | 'rejected'): Promise<void> {
  await db.$executeRaw`
    WITH reviewed AS (
      UPDATE upstream_sender SET reviewed_at = database_now()
      WHERE id = ${id}::bigint AND reviewed_at IS NULL
      RETURNING id, account_id, name, ${status}::text AS status, notification_url
    )
    ${oweReviews(Prisma.sql`reviewed`)}`
}
