import type { FastifyInstance } from 'fastify'
import type { Upstream } from '../upstream/upstream.ts'

/** What every route needs. */
export interface RouteOptions {
  readonly upstream: Upstream
}

/** Registers the routes of one topic. */
export type Routes = (app: FastifyInstance, options: RouteOptions) => void
