import { HLR_WAIT_MAX_SECONDS, hlrRequestSchema } from '@vertexsms/contract/rest'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { ApiError } from '../api-error.ts'
import { idParam, parse } from './parse.ts'
import type { Routes } from './route-options.ts'

/** Between two looks at a lookup whose result may come at any time. */
const LOOK_EVERY_MS = 500

/** A wait as short as this is not worth a timer. */
const LOOK_AT_LEAST_MS = 10

const waitSchema = z.object({
  wait: z
    .string()
    .regex(/^\d{1,3}$/)
    .optional(),
})

/** `POST /hlr`, and `GET /hlr/{id}?wait=` which answers as soon as the result is there. */
export const hlrRoutes: Routes = (app, { upstream }) => {
  app.post('/hlr', { config: { permission: 'POST /hlr' } }, async (request) => [
    await upstream.submitHlr(request.token, parse(hlrRequestSchema, request.body)),
  ])

  // A node that is told to stop answers everyone who waits with what it has.
  const stopping = new AbortController()
  app.addHook('preClose', async () => stopping.abort())

  app.get('/hlr/:id', { config: { permission: 'GET /hlr' } }, async (request) => {
    const id = idParam(request.params)
    const { wait = '0' } = parse(waitSchema, request.query)
    const deadline = Date.now() + Math.min(Number(wait), HLR_WAIT_MAX_SECONDS) * 1000
    for (;;) {
      const progress = await upstream.readHlr(request.token, id)
      if (!progress) throw new ApiError('NOT_FOUND')
      const now = Date.now()
      if (progress.status.status === 'done' || now >= deadline || isOver(request, stopping.signal))
        return progress.status
      const look = Math.min(deadline, progress.lookAgainAt?.getTime() ?? deadline, now + LOOK_EVERY_MS)
      await pause(Math.max(look - now, LOOK_AT_LEAST_MS), stopping.signal)
    }
  })
}

function isOver(request: FastifyRequest, stopping: AbortSignal): boolean {
  return stopping.aborted || request.raw.socket.destroyed
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
