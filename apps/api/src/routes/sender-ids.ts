import { senderConfirmRequestSchema, senderIdRequestSchema } from '@vertexsms/contract/rest'
import { idParam, parse } from '../http/parse.ts'
import type { Routes } from './route-options.ts'

/** `POST /senderId` and `POST /senderId/confirm/{id}`. */
export const senderIdRoutes: Routes = (app, { upstream }) => {
  app.post('/senderId', { config: { permission: 'POST /senderId' } }, async (request, reply) => {
    const id = await upstream.registerSender(request.token, parse(senderIdRequestSchema, request.body))
    return reply.type('text/plain; charset=utf-8').send(id)
  })

  app.post('/senderId/confirm/:id', { config: { permission: 'POST /senderId/confirm' } }, async (request, reply) => {
    const id = idParam(request.params)
    const { code } = parse(senderConfirmRequestSchema, request.body)
    await upstream.confirmSender(request.token, id, code)
    return reply.type('text/plain; charset=utf-8').send('OK')
  })
}
