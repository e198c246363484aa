import { createHmac, timingSafeEqual } from 'node:crypto'
import { fastifyCookie } from '@fastify/cookie'
import { subkey } from '@vertexsms/db/seal'
import { newSecret } from '@vertexsms/db/tokens'
import type { FastifyReply, FastifyRequest } from 'fastify'

// Two independent locks on every form, both needed:
// 1. The browser says where the request comes from. `Sec-Fetch-Site` decides where it is sent; `Origin` only without
//    it, because our own `Referrer-Policy: no-referrer` makes browsers send `Origin: null` on a form (Fetch §3.2).
// 2. A token in the form, an HMAC over what the form is bound to: the session, the interaction, or, before anybody is
//    signed in, a random cookie of the visitor (login CSRF, RFC 6749 §10.12 in spirit).

/** A form post was refused because it does not provably come from our own page. Answered with 403. */
export class FormRefused extends Error {
  override readonly name = 'FormRefused'
  readonly statusCode = 403
}

/** Issues and checks the CSRF tokens of one deployment. */
export interface Forms {
  /** The token of a form bound to `binding`; the same for the same binding on every node. */
  token(binding: string): string
  /** Throws {@link FormRefused} unless the post comes from our own origin and its `csrf` field fits `binding`. */
  check(request: FastifyRequest, binding: string): void
  /** The binding of a visitor who is not signed in; sets the visitor cookie if there is none yet. */
  visitor(request: FastifyRequest, reply: FastifyReply): string
}

/** The binding of a signed-in browser's forms. */
export function sessionBinding(sessionId: string): string {
  return `session:${sessionId}`
}

/** The binding of the forms of one authorization request. */
export function interactionBinding(uid: string): string {
  return `interaction:${uid}`
}

/** True when the browser vouches that the request was made by a page of `ownOrigin`; false when it says nothing. */
export function isSameOrigin(headers: { 'sec-fetch-site'?: string; origin?: string }, ownOrigin: string): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  return headers.origin === ownOrigin
}

/** Builds the {@link Forms} of a deployment; the HMAC key is a subkey of the operator key (RFC 5869). */
export function createForms(deps: { readonly operatorKey: Uint8Array; readonly issuerUrl: string }): Forms {
  const key = subkey(deps.operatorKey, 'csrf')
  const ownOrigin = new URL(deps.issuerUrl).origin
  const secure = ownOrigin.startsWith('https:')
  const cookieName = secure ? '__Host-vertexsms_visitor' : 'vertexsms_visitor'
  const mac = (binding: string) => createHmac('sha256', key).update(binding).digest()

  return {
    token: (binding) => mac(binding).toString('base64url'),

    check(request, binding) {
      const { 'sec-fetch-site': site, origin } = request.headers
      const from = { ...(typeof site === 'string' && { 'sec-fetch-site': site }), ...(origin && { origin }) }
      if (!isSameOrigin(from, ownOrigin)) throw new FormRefused('The form was not sent from this site.')
      const sent = (request.body as { csrf?: unknown } | undefined)?.csrf
      const given = Buffer.from(typeof sent === 'string' ? sent : '', 'base64url')
      const expected = mac(binding)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new FormRefused('The form has expired.')
      }
    },

    visitor(request, reply) {
      const known = fastifyCookie.parse(request.headers.cookie ?? '')[cookieName]
      if (known) return `visitor:${known}`
      const value = newSecret()
      reply.header(
        'set-cookie',
        fastifyCookie.serialize(cookieName, value, { path: '/', httpOnly: true, sameSite: 'lax', secure }),
      )
      return `visitor:${value}`
    },
  }
}
