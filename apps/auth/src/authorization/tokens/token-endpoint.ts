import type { Database } from '@vertexsms/db/client'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { endConnectionOfGrant } from '../../connections/end.ts'
import { comeAgain, OAUTH_UNAVAILABLE } from '../../web/outage.ts'
import { PATHS } from '../request/paths.ts'
import { answerAgain, judgeUsedToken, type Reuse } from './refresh-overlap.ts'
import { writeTokens } from './token-store.ts'
import { UnitOfWork } from './unit-of-work.ts'

/** What the token endpoint needs beside the library. */
export interface TokenEndpointDeps {
  readonly db: Database
  readonly overlapSeconds: number
  /** How long it is asked what became of a request whose answer from the database was lost. */
  readonly againMs: number
  readonly onReuse: (reuse: Reuse) => void
  /** Told when an answer could not be recorded, and of which connection; no token left. */
  readonly onFailure: (error: unknown, connectionId: string | undefined) => void
}

/**
 * The middleware around the token endpoint: after the library has made its answer, and before a byte of it leaves,
 * everything it stands for is written by one statement. When that fails the client gets 503 and nothing has
 * happened, so its retry with the same code or refresh token works.
 */
export function tokenEndpoint(deps: TokenEndpointDeps) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (ctx.path !== PATHS.token || ctx.method !== 'POST') return next()
    const work = new UnitOfWork()
    ctx.state.work = work
    await next()
    if (work.storageFailed) return unavailable(ctx)
    if (ctx.status !== 200) return
    try {
      await record(deps, ctx, work)
    } catch (error) {
      deps.onFailure(error, work.grant?.connectionId)
      unavailable(ctx)
    }
  }
}

async function record(deps: TokenEndpointDeps, ctx: KoaContextWithOIDC, work: UnitOfWork): Promise<void> {
  if (work.earlier) return repeat(deps, ctx, work)
  const response = JSON.stringify(ctx.body)
  const { db, overlapSeconds, againMs } = deps
  const outcome = await writeTokens(db, work, { response, overlapSeconds, againMs })
  if (outcome === 'written') return
  const { presented, grant } = work
  if (outcome === 'spent' && presented?.kind === 'RefreshToken') {
    // Another request with the same token was faster: its answer is ours too, or this is a reuse.
    const judged = await judgeUsedToken(deps, work, { value: presented.value, clientId: grant?.clientId })
    if (judged) return repeat(deps, ctx, work)
  }
  if (outcome === 'spent' && presented?.kind === 'AuthorizationCode' && grant) {
    // The code came twice: what it gave is taken back (RFC 6749 §4.1.2).
    if (await endConnectionOfGrant(deps.db, grant.grantId, 'code_replay')) {
      const { connectionId, clientId } = grant
      deps.onReuse({ reason: 'code_replay', connectionId, clientId })
    }
  }
  refuse(ctx)
}

async function repeat({ db }: TokenEndpointDeps, ctx: KoaContextWithOIDC, work: UnitOfWork): Promise<void> {
  const answer = await answerAgain(db, work, ctx.body as Record<string, unknown>)
  if (answer) ctx.body = answer
  else refuse(ctx)
}

function refuse(ctx: KoaContextWithOIDC): void {
  ctx.status = 400
  ctx.body = { error: 'invalid_grant', error_description: 'grant request is invalid' }
}

function unavailable(ctx: KoaContextWithOIDC): void {
  ctx.status = 503
  ctx.set(comeAgain())
  ctx.body = OAUTH_UNAVAILABLE
}
