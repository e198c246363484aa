import { AMOUNT_SENT_HEADER, IDEMPOTENCY_KEY_HEADER } from '@vertexsms/contract/headers'
import { smsCostRequestSchema } from '@vertexsms/contract/rest'
import { batchRequestSchema, limitedSendRequestSchema, quoteRequestSchema } from '@vertexsms/contract/sending'
import type { FastifyRequest } from 'fastify'
import { ApiError, noSuch } from '../http/api-error.ts'
import { idParam, parse } from '../http/parse.ts'
import { REPLAYED, statusAnswer } from '../sending/answers.ts'
import { cancel } from '../sending/cancel.ts'
import { quoteSms, refuseDestination } from '../sending/quoting.ts'
import { readIdempotencyKey } from '../sending/repeat.ts'
import { messageOf } from '../sending/rows.ts'
import type { SmsCall } from '../sending/sms-entry.ts'
import { readOlderSms } from '../upstream/sandbox/older.ts'
import type { Routes } from './route-options.ts'

/** The key of a request; null where it has none. Throws IDEMPOTENCY_KEY_INVALID. */
export function idempotencyKeyOf(request: FastifyRequest): string | null {
  const key = readIdempotencyKey(request.headers[IDEMPOTENCY_KEY_HEADER])
  if (key === undefined) throw new ApiError('IDEMPOTENCY_KEY_INVALID')
  return key
}

/** Headers of an answer that may have been given before. */
export function replayHeaders(replayed: boolean): Readonly<Record<string, string>> {
  return replayed ? REPLAYED : {}
}

/**
 * `POST /sms` and `POST /sms/cost`; ours are `POST /sms/batch`, `POST /sms/quote`, `GET /sms/status/{id}` and
 * `DELETE /sms/{id}`.
 */
export const smsRoutes: Routes = (app, { upstream, sending, deps }) => {
  const callOf = (request: FastifyRequest): Pick<SmsCall, 'sender' | 'idempotencyKey' | 'throughMcp'> => ({
    sender: request.token,
    idempotencyKey: idempotencyKeyOf(request),
    throughMcp: request.throughMcp,
  })

  app.post('/sms', async (request, reply) => {
    const body = parse(limitedSendRequestSchema, request.body)
    const sent = await sending.sendOne({
      ...callOf(request),
      route: '/sms',
      body: { ...body, to: [body.to] },
      allowRepeat: false,
    })
    return reply
      .headers({ [AMOUNT_SENT_HEADER]: String(sent.parts), ...replayHeaders(sent.replayed) })
      .send([String(sent.id)])
  })

  app.post('/sms/batch', async (request, reply) => {
    const { allowRepeat = false, ...body } = parse(batchRequestSchema, request.body)
    const { answer, replayed } = await sending.sendList({ ...callOf(request), route: '/sms/batch', body, allowRepeat })
    return reply.headers(replayHeaders(replayed)).send(answer)
  })

  app.post('/sms/quote', async (request) => {
    const { allowRepeat: _nothingIsSent, ...body } = parse(quoteRequestSchema, request.body)
    return quoteSms(deps, sending.prices, request.token, body)
  })

  app.post('/sms/cost', async (request) => {
    const body = parse(smsCostRequestSchema, request.body)
    await refuseDestination(deps, request.token, body)
    return [await upstream.smsCost(request.token, body)]
  })

  app.get('/sms/status/:id', async (request) => {
    const id = idParam(request.params, 'message')
    const row = await messageOf(deps.db, request.token.spenderId, id)
    if (row?.kind === 'sms') return statusAnswer(row)
    const older = await readOlderSms(deps.db, request.token, id)
    if (older === undefined) throw noSuch('message')
    return older
  })

  app.delete('/sms/:id', async (request, reply) => {
    await cancel(deps.db, request.token.spenderId, idParam(request.params, 'message'))
    return reply.code(204).send()
  })
}
