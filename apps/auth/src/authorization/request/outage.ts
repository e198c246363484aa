import { isUnreachable } from '@vertexsms/db/unreachable'
import type { Adapter, KoaContextWithOIDC } from 'oidc-provider'
import { Provider } from 'oidc-provider'
import { comeAgain, OAUTH_UNAVAILABLE } from '../../web/outage.ts'
import { failureMessage } from '../../web/page.ts'
import { answerWithPage } from './message-page.ts'
import { isAuthorizationPath } from './paths.ts'

// The library answers a lost database with `server_error`, sends it to the client's redirect address, or takes what it
// could not read for absent. None of it is true: what fails here is noted on the request, and answered with 503.

const lost = new WeakSet<object>()

/** Notes on the request being handled that the database was away; does nothing for any other error. */
export function noteOutage(error: unknown, ctx: object | undefined = Provider.ctx): void {
  if (ctx && isUnreachable(error)) lost.add(ctx)
}

/** The adapter whose every failure is noted before the library makes something else of it. */
export function notingOutages(adapter: Adapter): Adapter {
  const noting =
    <Args extends unknown[], Result>(run: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        return await run(...args)
      } catch (error) {
        noteOutage(error)
        throw error
      }
    }
  return Object.fromEntries(
    Object.entries(adapter).map(([name, method]) => [name, noting(method.bind(adapter))]),
  ) as unknown as Adapter
}

/**
 * The outermost middleware: a request during which the database was away is answered with 503 and `Retry-After`,
 * whatever the library made of it: a page where a person waits, OAuth's JSON everywhere else.
 */
export async function answerOutages(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  try {
    await next()
  } catch (error) {
    noteOutage(error, ctx)
    if (!lost.has(ctx)) throw error
  }
  if (!lost.has(ctx)) return
  for (const name of ['location', 'www-authenticate', 'set-cookie']) ctx.remove(name)
  ctx.status = 503
  ctx.set(comeAgain())
  if (isAuthorizationPath(ctx.path)) {
    answerWithPage(ctx, (t) => failureMessage(t, 503))
  } else {
    ctx.body = OAUTH_UNAVAILABLE
  }
}
