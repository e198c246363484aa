import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyRequest } from 'fastify'
import { textField } from './fields.ts'

/** Where a person lands who came to sign in without a purpose. */
export const HOME_PATH = '/'

/** What signing in may lead on to. Everything else leads home: a sign-in page must not be an open redirect. */
const ALLOWED =
  /^\/(interaction\/[\w-]+|settings\/[\w/-]+|sandbox\/phone|approvals(\/[\w-]+)?|connections\/[\w-]+(\/disconnect)?)(\?[\w=&%.+*~!()'-]*)?$/

const MAX_CHARS = 2048

/** `value` if it is a path of ours that signing in may lead on to, else {@link HOME_PATH} (RFC 9700 §4.11). */
export function safeReturnTo(value: unknown): string {
  return typeof value === 'string' && value.length <= MAX_CHARS && ALLOWED.test(value) ? value : HOME_PATH
}

/** Pages with forms that stand on others as well. */
const SENT_FROM = /^\/(connections\/[\da-f-]{36}|settings\/api(\/tokens\/[\da-f-]{36})?|settings\/limits|approvals)?$/

/**
 * The page that a form was sent from, where it stands on more than one and says in `back` on which; null where it says none
 * of ours.
 */
export function sentFrom(request: FastifyRequest): string | null {
  const back = textField(request, 'back')
  return SENT_FROM.test(back) ? back : null
}

/** True for the path of an authorization request that waits for its person. */
export function isInteractionPath(path: string): boolean {
  return path.startsWith('/interaction/')
}

/** The sign-in page's path that leads on to `returnTo`. */
export function signInPath(returnTo: string): string {
  const safe = safeReturnTo(returnTo)
  return safe === HOME_PATH ? PAGE_PATHS.signIn : `${PAGE_PATHS.signIn}?return_to=${encodeURIComponent(safe)}`
}
