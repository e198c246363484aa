import { setTimeout as delay } from 'node:timers/promises'
import { HLR_WAIT_MAX_SECONDS, hlrRequestSchema } from '@vertexsms/contract/rest'
import { hlrQuerySchema } from '@vertexsms/contract/routes'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { RequestLimits } from '../guard/request-limits.ts'
import { noSuch } from '../http/api-error.ts'
import { idParam, parse } from '../http/parse.ts'
import { sendOther } from '../sending/other.ts'
import { readLookup } from '../sending/rows.ts'
import type { RouteOptions } from './route-options.ts'
import { idempotencyKeyOf, replayHeaders } from './sms.ts'

/** Between two looks at a lookup whose result may come at any time. */
const LOOK_EVERY_MS = 500

/** A wait as short as this is not worth a timer. */
const LOOK_AT_LEAST_MS = 10

/** `POST /hlr`, and `GET /hlr/{id}?wait=` which answers as soon as the result is there. */
export function hlrRoutes(
  app: FastifyInstance,
  { upstream, deps, limits }: RouteOptions & { limits: RequestLimits },
): void {
  app.post('/hlr', async (request, reply) => {
    const { msisdn, callBackUrl, allowRepeat = false } = parse(hlrRequestSchema, request.body)
    const { id, replayed } = await sendOther(deps, {
      sender: request.token,
      kind: 'hlr',
      route: '/hlr',
      number: msisdn,
      callBackUrl,
      idempotencyKey: idempotencyKeyOf(request),
      throughMcp: request.throughMcp,
      allowRepeat,
    })
    return reply.headers(replayHeaders(replayed)).send([Number(id)])
  })

  // A node that is told to stop answers everyone who waits with what it has. One listener for all of them.
  const stopping = new AbortController()
  app.addHook('preClose', async () => stopping.abort())

  app.get('/hlr/:id', async (request, reply) => {
    const id = idParam(request.params, 'lookup')
    const { wait = '0' } = parse(hlrQuerySchema, request.query)
    const deadline = performance.now() + Math.min(Number(wait), HLR_WAIT_MAX_SECONDS) * 1000
    const look = async () => {
      const progress = (await readLookup(deps.db, request.token, id)) ?? (await upstream.readHlr(request.token, id))
      if (!progress) throw noSuch('lookup')
      return progress
    }
    let progress = await look()
    if (progress.status.status === 'done' || performance.now() >= deadline) return progress.status
    // Only what really waits has a place; who hangs up gives it back.
    const giveBack = limits.wait(request.token)
    const over = AbortSignal.any([stopping.signal, goneSignal(reply)])
    try {
      while (progress.status.status !== 'done' && performance.now() < deadline && !over.aborted) {
        const inMs = Math.min(deadline - performance.now(), nextLookInMs(progress.lookAgainInMs))
        await delay(Math.max(inMs, LOOK_AT_LEAST_MS), undefined, { signal: over }).catch(() => undefined)
        progress = await look()
      }
      return progress.status
    } finally {
      giveBack()
    }
  })
}

/** Nothing is to be seen before the time that the upstream names; past it a result may come at any moment. */
function nextLookInMs(lookAgainInMs: number | null): number {
  return lookAgainInMs !== null && lookAgainInMs > 0 ? lookAgainInMs : LOOK_EVERY_MS
}

/** Aborted when the caller hangs up, and when its answer is complete. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return gone.signal
}
