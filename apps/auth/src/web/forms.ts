import { randomBytes, timingSafeEqual } from 'node:crypto'
import { fastifyCookie } from '@fastify/cookie'
import { mac } from '@vertexsms/secrets/mac'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { subkey } from '@vertexsms/secrets/subkey'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { cookieName } from '../cookie-name.ts'

// Two independent locks on every form, both needed:
// 1. The browser says where the request comes from. `Sec-Fetch-Site` decides where it is sent; `Origin` only without
//    it, because our own `Referrer-Policy: no-referrer` makes browsers send `Origin: null` on a form (Fetch, `Origin`
//    header). A browser that says `Origin: null` and nothing else (Safari before 16.4) is believed by its token alone:
//    any page can be made to say so, but none can read a token that is bound to this browser's cookie.
// 2. A token in the form, an HMAC over what the form is bound to: the session, the interaction, or, before anybody is
//    signed in, a random cookie of the visitor (login CSRF, RFC 6749 §10.12 in spirit). It is masked anew each time it
//    is shown, so that the size of a compressed page tells nothing about it (BREACH), and never stands in a link.

/** A form post was refused because it does not provably come from our own page. Answered with 403. */
export class FormRefused extends Error {
  override readonly name = 'FormRefused'
  readonly statusCode = 403
}

/** Issues and checks the CSRF tokens of one deployment. */
export interface Forms {
  /** A token for a form bound to `binding`: another one at each call, good on every node. */
  token(binding: string): string
  /** Throws {@link FormRefused} unless the post comes from our own origin and its `csrf` field fits `binding`. */
  check(request: FastifyRequest, binding: string): void
  /** True when the browser vouches that the post was made by a page of ours, whatever its token. */
  isOurs(request: FastifyRequest): boolean
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

const MAC_BYTES = 32
/** A token is 86 characters; nothing longer is decoded. */
const MAX_TOKEN_CHARS = 100

function saysOfItself(request: FastifyRequest): { 'sec-fetch-site'?: string; origin?: string } {
  const { 'sec-fetch-site': site, origin } = request.headers
  return { ...(typeof site === 'string' && { 'sec-fetch-site': site }), ...(origin && { origin }) }
}

/** `Origin: null` alone; a browser that sends neither header posts no forms of ours. */
function saysNothing(request: FastifyRequest): boolean {
  return request.headers['sec-fetch-site'] === undefined && request.headers.origin === 'null'
}

function xor(bytes: Uint8Array, mask: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (mask[index] ?? 0)))
}

/** Builds the {@link Forms} of a deployment; the HMAC key is a subkey of the operator key (RFC 5869). */
export function createForms(deps: { readonly operatorKey: Uint8Array; readonly issuerUrl: string }): Forms {
  const key = subkey(deps.operatorKey, 'csrf')
  const ownOrigin = new URL(deps.issuerUrl).origin
  const secure = ownOrigin.startsWith('https:')
  const visitorCookie = cookieName(ownOrigin, '__Host-', 'visitor')
  const macOf = (binding: string) => mac(key, binding)
  const isOurs = (request: FastifyRequest) => isSameOrigin(saysOfItself(request), ownOrigin)

  return {
    token(binding) {
      const mask = randomBytes(MAC_BYTES)
      return Buffer.concat([mask, xor(macOf(binding), mask)]).toString('base64url')
    },

    isOurs,

    check(request, binding) {
      if (!isOurs(request) && !saysNothing(request)) throw new FormRefused('The form was not sent from this site.')
      const sent = (request.body as { csrf?: unknown } | undefined)?.csrf
      const given = Buffer.from(typeof sent === 'string' ? sent.slice(0, MAX_TOKEN_CHARS) : '', 'base64url')
      const mask = given.subarray(0, MAC_BYTES)
      if (given.length !== 2 * MAC_BYTES || !timingSafeEqual(given.subarray(MAC_BYTES), xor(macOf(binding), mask))) {
        throw new FormRefused('The form has expired.')
      }
    },

    visitor(request, reply) {
      const known = fastifyCookie.parse(request.headers.cookie ?? '')[visitorCookie]
      if (known) return `visitor:${known}`
      const value = newSecret()
      reply.header(
        'set-cookie',
        fastifyCookie.serialize(visitorCookie, value, { path: '/', httpOnly: true, sameSite: 'lax', secure }),
      )
      return `visitor:${value}`
    },
  }
}
