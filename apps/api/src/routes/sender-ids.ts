import { senderConfirmRequestSchema, senderIdRequestSchema } from '@vertexsms/contract/rest'
import { idParam, parse } from '../http/parse.ts'
import { sendOther } from '../sending/other.ts'
import type { Routes } from './route-options.ts'
import { idempotencyKeyOf, replayHeaders } from './sms.ts'

/** `POST /senderId` and `POST /senderId/confirm/{id}`. A number is registered by a text, on the path of everything that is sent. */
export const senderIdRoutes: Routes = (app, { upstream, deps }) => {
  app.post('/senderId', async (request, reply) => {
    const body = parse(senderIdRequestSchema, request.body)
    reply.type('text/plain; charset=utf-8')
    if (body.type !== 'MSISDN') return reply.send(await upstream.registerSender(request.token, body))
    const { id, replayed } = await sendOther(deps, {
      sender: request.token,
      kind: 'msisdn',
      route: '/senderId',
      number: body.name,
      idempotencyKey: idempotencyKeyOf(request),
      throughMcp: request.throughMcp,
      allowRepeat: false,
    })
    return reply.headers(replayHeaders(replayed)).send(id)
  })

  app.post('/senderId/confirm/:id', async (request, reply) => {
    const id = idParam(request.params, 'sender')
    const { code } = parse(senderConfirmRequestSchema, request.body)
    await upstream.confirmSender(request.token, id, code)
    return reply.type('text/plain; charset=utf-8').send('OK')
  })
}
