import { AMOUNT_SENT_HEADER } from '@vertexsms/contract/headers'
import { sendSmsRequestSchema, smsCostRequestSchema } from '@vertexsms/contract/rest'
import { parse } from '../http/parse.ts'
import type { Routes } from './route-options.ts'

/** `POST /sms` and `POST /sms/cost`. */
export const smsRoutes: Routes = (app, { upstream }) => {
  app.post('/sms', { config: { permission: 'POST /sms' } }, async (request, reply) => {
    const sent = await upstream.sendSms(request.token, parse(sendSmsRequestSchema, request.body))
    return reply.header(AMOUNT_SENT_HEADER, String(sent.parts)).send(sent.ids)
  })

  app.post('/sms/cost', { config: { permission: 'POST /sms/cost' } }, async (request) => [
    await upstream.smsCost(request.token, parse(smsCostRequestSchema, request.body)),
  ])
}
