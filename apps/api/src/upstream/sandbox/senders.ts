import { randomInt, timingSafeEqual } from 'node:crypto'
import { PIN_DIGITS, PIN_MINUTES, PIN_TRIES, type SenderIdRequest } from '@vertexsms/contract/rest'
import { mac } from '@vertexsms/secrets/mac'
import { ApiError, noSuch } from '../../http/api-error.ts'
import { notMobile } from '../../message/number.ts'
import { checkSenderName, type SenderNameRequest } from '../../message/sender.ts'
import { LIMITS } from '../../service-limits.ts'
import { newNumberId, underNewId } from '../ids.ts'
import { createPinLimits } from '../pin-limit.ts'
import type { Caller } from '../upstream.ts'
import { ADMISSION, type Admission, admittedId, openAdmission } from './admission.ts'
import type { SandboxOptions } from './config.ts'
import { readNumber } from './numbers.ts'

/** The sender of the text that carries the PIN. */
const PIN_SENDER = 'VertexSMS'

/** Registers and confirms senders. */
export function createSenders({ db, times, pinKey, checkCallbackUrl, wakeIn, newIds }: SandboxOptions) {
  const newId = newIds?.number ?? newNumberId
  const pinLimits = createPinLimits(db, pinKey)

  /** Bound to account and number: a hash copied to another row opens nothing there. */
  function hashPin(accountId: string, name: string, pin: string): Uint8Array<ArrayBuffer> {
    return new Uint8Array(mac(pinKey, `${accountId}:${name}:${pin}`))
  }

  async function registerNumber(caller: Caller, name: string): Promise<bigint> {
    const number = readNumber(name)
    if ('fix' in number || number.type !== 'mobile') throw notMobile('INVALID_INPUT', 'name', number)
    const now = caller.now()
    const where = { accountId: caller.accountId, name: number.msisdn, type: 'MSISDN', status: 'confirmed' as const }
    if ((await db.senderId.count({ where })) > 0) throw alreadyConfirmed()
    const takeBack = await pinLimits.countPin(caller.accountId, number.msisdn)
    const pin = String(randomInt(10 ** PIN_DIGITS)).padStart(PIN_DIGITS, '0')
    const expiresAt = new Date(now.getTime() + PIN_MINUTES * 60_000)
    const text = `${pin} is your code to confirm this number as a sender on VertexSMS. It works for ${PIN_MINUTES} minutes.`
    // The lock in a statement of its own: the next one then counts what others wrote while this one waited.
    const lock = () => db.$queryRaw`SELECT id::text FROM account WHERE id = ${caller.accountId}::uuid FOR NO KEY UPDATE`
    const register = (id: bigint) => db.$queryRaw<(Admission & { full: boolean })[]>`
      ${openAdmission(caller)}, outstanding AS (
        SELECT count(*) AS count FROM sender_id
        WHERE account_id = ${caller.accountId}::uuid AND status = 'pending_confirmation'
          AND pin_expires_at > ${now}::timestamptz AND name <> ${number.msisdn}
      ), registered AS (
        INSERT INTO sender_id (id, account_id, name, type, status, pin_hash, pin_tries, pin_expires_at, created_at)
        SELECT ${id}::bigint, account_id, ${number.msisdn}, 'MSISDN', 'pending_confirmation'::sender_status,
               ${hashPin(caller.accountId, number.msisdn, pin)}, 0, ${expiresAt}::timestamptz, ${now}::timestamptz
        FROM admitted, outstanding WHERE outstanding.count < ${LIMITS.pins.outstanding}::int
        ON CONFLICT (account_id, type, name) DO UPDATE
          SET pin_hash = EXCLUDED.pin_hash, pin_tries = 0, pin_expires_at = EXCLUDED.pin_expires_at
          WHERE sender_id.status = 'pending_confirmation'
        RETURNING id
      ), texted AS (
        INSERT INTO sandbox_text (account_id, recipient, sender, text, received_at)
        SELECT ${caller.accountId}::uuid, ${number.msisdn}, ${PIN_SENDER}, ${text}, ${now}::timestamptz FROM registered
      )
      SELECT ${ADMISSION}, (SELECT id FROM registered) AS id,
             (SELECT count >= ${LIMITS.pins.outstanding}::int FROM outstanding) AS full`
    const [, [row]] = await underNewId(newId, (id) => db.$transaction([lock(), register(id)]))
    if (typeof row?.id !== 'bigint') await takeBack()
    const admitted = admittedId(row)
    if (admitted === null && row?.full) throw tooManyOutstanding()
    if (admitted === null) throw alreadyConfirmed()
    return admitted
  }

  async function registerName(caller: Caller, request: SenderNameRequest): Promise<bigint> {
    checkSenderName(request)
    const notificationUrl = checkCallbackUrl(request.notificationUrl, 'notificationUrl')
    const now = caller.now()
    const reviewAt = new Date(now.getTime() + times.reviewMs)
    const [row] = await underNewId(
      newId,
      (id) => db.$queryRaw<Admission[]>`
      ${openAdmission(caller, notificationUrl)}, registered AS (
      INSERT INTO sender_id (id, account_id, name, type, category, category_description, notification_url, status,
                             pin_tries, review_at, created_at)
      SELECT ${id}::bigint, account_id, ${request.name}, 'AlphaNumeric', ${request.category},
             ${request.categoryDescription}, ${notificationUrl ?? null}::text,
             'pending_review'::sender_status, 0, ${reviewAt}::timestamptz, ${now}::timestamptz
      FROM admitted
      ON CONFLICT (account_id, type, name) DO UPDATE
        SET status = 'pending_review'::sender_status, category = EXCLUDED.category, review_at = EXCLUDED.review_at,
            category_description = EXCLUDED.category_description, notification_url = EXCLUDED.notification_url
        WHERE sender_id.status = 'rejected'
      RETURNING id
      )
      SELECT ${ADMISSION}, (SELECT id FROM registered) AS id`,
    )
    const admitted = admittedId(row)
    if (admitted === null) throw new ApiError('CONFLICT', { message: 'The name is already registered on the account.' })
    wakeIn(times.reviewMs)
    return admitted
  }

  return {
    /**
     * The id of the new sender. Throws INVALID_INPUT, URL_NOT_ALLOWED, CONFLICT, TOKEN_INVALID where the caller has ended, and
     * RATE_LIMITED after too many PINs or while too much waits.
     */
    async register(caller: Caller, request: SenderIdRequest): Promise<string> {
      return String(
        await (request.type === 'MSISDN' ? registerNumber(caller, request.name) : registerName(caller, request)),
      )
    },

    /**
     * Confirms a number. A try is counted in the row before the code is looked at, so that parallel requests on any
     * number of nodes get {@link PIN_TRIES} together. Throws CODE_WRONG, CODE_EXPIRED, CONFLICT, NOT_FOUND,
     * and RATE_LIMITED after too many guesses in a day.
     */
    async confirm(caller: Caller, id: bigint, code: string): Promise<void> {
      const now = caller.now()
      const [tried] = await db.$queryRaw<{ name: string; pinHash: Uint8Array }[]>`
        UPDATE sender_id SET pin_tries = pin_tries + 1
        WHERE id = ${id}::bigint AND account_id = ${caller.accountId}::uuid AND type = 'MSISDN'
          AND status = 'pending_confirmation' AND pin_tries < ${PIN_TRIES}::int
          AND pin_expires_at > ${now}::timestamptz AND pin_hash IS NOT NULL
        RETURNING name, pin_hash AS "pinHash"`
      if (!tried) throw await whyNotTried(caller, id)
      await pinLimits.countGuess(caller.accountId)
      if (!timingSafeEqual(tried.pinHash, hashPin(caller.accountId, tried.name, code))) throw new ApiError('CODE_WRONG')
      // The hash that was compared must still be the one in the row: a new PIN may have been sent meanwhile.
      const confirmed = await db.senderId.updateMany({
        where: { id, status: 'pending_confirmation', pinHash: new Uint8Array(tried.pinHash) },
        data: { status: 'confirmed', pinHash: null, pinExpiresAt: null },
      })
      if (confirmed.count === 0) throw await whyNotTried(caller, id)
    },
  }

  async function whyNotTried(caller: Caller, id: bigint): Promise<ApiError> {
    const row = await db.senderId.findFirst({
      where: { id, accountId: caller.accountId },
      select: { status: true, type: true },
    })
    if (!row) return noSuch('sender')
    if (row.status === 'confirmed') return new ApiError('CONFLICT', { message: 'The sender is already confirmed.' })
    if (row.type !== 'MSISDN')
      return new ApiError('CONFLICT', { message: 'A name is reviewed, not confirmed by a code.' })
    return new ApiError('CODE_EXPIRED')
  }
}

function alreadyConfirmed(): ApiError {
  return new ApiError('CONFLICT', { message: 'The number is already confirmed on the account.' })
}

function tooManyOutstanding(): ApiError {
  return new ApiError('RATE_LIMITED', {
    message: 'Too many numbers of this account wait for their code. Confirm them first, or let their codes expire.',
    headers: { 'retry-after': String(PIN_MINUTES * 60) },
  })
}
