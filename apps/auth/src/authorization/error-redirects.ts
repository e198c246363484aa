import type { KoaContextWithOIDC } from 'oidc-provider'
import { isLoopbackRedirect, redirectHost, redirectUriProblem } from './clients/redirect-uris.ts'
import { answerWithPage } from './request/message-page.ts'
import { isAuthorizationPath } from './request/paths.ts'

/** What decides whether an answer may leave without a page of ours before it. */
export interface ErrorRedirectDeps {
  readonly issuer: string
  /** True when the account that is signed in in the browser with this Cookie header has a live connection to the client. */
  readonly connectedHere: (cookieHeader: string | undefined, clientId: string) => Promise<boolean>
}

/**
 * The middleware that keeps the authorization endpoint from being an open redirector for whoever registers (RFC 9700
 * §4.11.2). An answer leaves straight when a person decided on a page of ours, when it stays on the person's own
 * computer, or when the account signed in in this browser has a live connection to the client. Every other error, of
 * `prompt=none` too, becomes a page with a link the person may follow.
 */
export function pageBeforeErrors(deps: ErrorRedirectDeps) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next()
    const target = ctx.response.get('location')
    if (!isAuthorizationPath(ctx.path) || !target || isOwn(deps.issuer, target)) return
    const redirectUri = String(ctx.oidc.params?.redirect_uri ?? '')
    const mayFollow = redirectUriProblem(redirectUri) === null
    if (mayFollow && (await mayGoStraight(deps, ctx, redirectUri))) return
    ctx.remove('location')
    ctx.status = 400
    answerWithPage(ctx, (t) => ({
      title: t.ends.cannotContinue,
      text: t.ends.asksTheImpossible(reasonIn(target)),
      ...(mayFollow && { link: { href: target, label: t.ends.tellApp(redirectHost(redirectUri)) } }),
    }))
  }
}

/** The way to a page of ours is a path or begins with the issuer. */
function isOwn(issuer: string, target: string): boolean {
  return URL.canParse(target, issuer) && new URL(target, issuer).origin === new URL(issuer).origin
}

async function mayGoStraight(deps: ErrorRedirectDeps, ctx: KoaContextWithOIDC, redirectUri: string): Promise<boolean> {
  const { client, entities } = ctx.oidc
  if (entities.Interaction?.result || isLoopbackRedirect(redirectUri)) return true
  return client !== undefined && deps.connectedHere(ctx.get('cookie'), client.clientId)
}

/** The error of an authorization response, in the library's words (RFC 6749 §4.1.2.1). */
function reasonIn(target: string): string {
  const { search, hash } = new URL(target)
  const answer = new URLSearchParams(search || hash.slice(1))
  return answer.get('error_description') ?? answer.get('error') ?? 'error'
}
