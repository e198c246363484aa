import type { FastifyInstance } from 'fastify'
import type { SendingDeps } from '../sending/deps.ts'
import type { Sending } from '../sending/send.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** What every route needs. */
export interface RouteOptions {
  readonly upstream: Upstream
  readonly sending: Sending
  readonly deps: SendingDeps
}

/** Registers the routes of one topic. */
export type Routes = (app: FastifyInstance, options: RouteOptions) => void
