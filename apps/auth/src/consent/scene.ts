import { isScope, type Scope } from '@vertexsms/contract/scopes'
import { NO_LIMITS, type SpenderLimits } from '@vertexsms/contract/spender-limits'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import type { FastifyRequest } from 'fastify'
import type { SignedIn } from '../accounts/session.ts'
import { READING_SCOPES, readsOnly, scopesSpend } from '../connections/binding.ts'
import { isUuid } from '../connections/uuid.ts'
import { namingFor } from '../connections/who.ts'
import { oneText, textField } from '../web/fields.ts'
import { wordsFor } from '../web/language.ts'
import type { Words } from '../words/words.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { readBounds, type Start, type TypedBounds } from './bounds.ts'
import type { Decision } from './decide.ts'
import { type Earlier, earlierConnections } from './earlier.ts'
import { type Filled, isWarnedOf, type Shown } from './view.ts'

// What stands on the consent page before it is decided: opened by us, or filled in and sent by the person.

/** What reading it needs. */
export interface SceneDeps {
  readonly db: Database
  readonly issuerUrl: string
  readonly connectionSeconds: number
  /** What a connection that begins may spend a day; null is no limit. */
  readonly maxPerDayMicros: bigint | null
}

/** The person, what the app has already, and what was filled in so far. */
export interface Scene {
  readonly asked: AuthorizationRequest
  readonly signedIn: SignedIn
  readonly earlier: readonly Earlier[]
  readonly filled: Filled
  readonly start: Start
}

/** Reads what stands on the page: opened, as we would start it; sent, as the person filled it in. */
export async function sceneOf(
  deps: SceneDeps,
  asked: AuthorizationRequest,
  signedIn: SignedIn,
  request: FastifyRequest,
  how: 'opened' | 'sent',
): Promise<Scene> {
  const { id: clientId, isShared } = asked.client
  const of = { accountId: signedIn.account.id, clientId, isShared }
  const earlier = await earlierConnections(deps.db, of, await databaseNow(deps.db))
  const filled =
    how === 'sent'
      ? filledIn(request, asked, earlier)
      : untouched(asked, earlier, isWarnedOf(asked, namingFor(deps, wordsFor(request))))
  const before = isShared ? earlier.find(({ id }) => id === filled.replaces) : earlier[0]
  const start = {
    limits: before?.limits ?? initialLimits(deps),
    asked: asked.askedLimits,
    isEarlier: before !== undefined,
    connectionSeconds: deps.connectionSeconds,
  }
  return { asked, signedIn, earlier, filled, start }
}

/** What bounds a connection that begins, before anybody chose. */
function initialLimits({ maxPerDayMicros }: SceneDeps): SpenderLimits {
  return { ...NO_LIMITS, maxPerDayMicros }
}

/**
 * A page that is opened: everything ticked, but only what reads for an app that is warned of, and the only connection of a
 * shared client about to be replaced.
 */
function untouched(asked: AuthorizationRequest, earlier: readonly Earlier[], isWarned: boolean): Filled {
  const [only, another] = asked.client.isShared ? earlier : []
  const scopes = asked.scopes.filter((name) => !isWarned || READING_SCOPES.includes(name))
  return { scopes, bounds: {}, replaces: only && !another ? only.id : null }
}

/**
 * A field that is missing stays as the page would start; one that was sent twice is no value that it takes. Of an app that
 * asks for nothing that costs money the page has no fields for spending.
 */
function filledIn(request: FastifyRequest, asked: AuthorizationRequest, earlier: readonly Earlier[]): Filled {
  const sent = (request.body ?? {}) as Record<string, unknown>
  const field = (name: keyof TypedBounds) => oneText(sent[name])
  const ticked = [sent.scope].flat().filter((name): name is Scope => isScope(String(name)))
  const replaces = textField(request, 'replaces')
  const isLost = replaces !== '' && !earlier.some(({ id }) => id === replaces)
  return {
    scopes: asked.scopes.filter((name) => ticked.includes(name)),
    bounds: {
      ...(scopesSpend(asked.scopes) && {
        limit: field('limit'),
        own_limit: field('own_limit'),
        countries: field('countries'),
      }),
      lasts: field('lasts'),
    },
    replaces: isLost ? untouched(asked, earlier, false).replaces : replaces || null,
  }
}

/** What was typed; of what is wrong with it nothing counts where all that is allowed is to read, which no amount binds. */
function boundsFor(scopes: readonly Scope[], typed: TypedBounds, start: Start, t: Words) {
  const read = readBounds(typed, start, t)
  return 'problems' in read && readsOnly(scopes) ? readBounds({ lasts: typed.lasts }, start, t) : read
}

/** What may be the id of a connection; else null. */
function idOf(text: string): string | null {
  return isUuid(text) ? text : null
}

/** Only the word that denies denies; an answer that cannot be taken as it is leads to the page again. */
export function decisionOf(
  deps: SceneDeps,
  request: FastifyRequest,
  scene: Scene,
): { decision: Decision } | { shown: Shown } {
  const { asked, signedIn, filled, start } = scene
  const word = textField(request, 'decision')
  if (word === 'deny') return { decision: { kind: 'denied' } }
  const scopes = word === 'reading' ? filled.scopes.filter((name) => READING_SCOPES.includes(name)) : filled.scopes
  const read = boundsFor(scopes, filled.bounds, start, wordsFor(request))
  if ('problems' in read || (word !== 'allow' && word !== 'reading')) return { shown: {} }
  if (scopes.length === 0) return { shown: { missing: filled.scopes.length > 0 ? 'reading' : 'all' } }
  // What was to be replaced is gone: the page says what begins instead.
  if (textField(request, 'replaces') !== (filled.replaces ?? '')) return { shown: { isStale: true } }
  const { maxPerDayMicros, countries, lifetimeSeconds } = read.bounds
  return {
    decision: {
      kind: 'approved',
      accountId: signedIn.account.id,
      sessionId: signedIn.sessionId,
      client: { id: asked.client.id, name: asked.client.claim ?? '', shared: asked.client.isShared },
      redirectHost: asked.redirectHost,
      scopes,
      lifetimeSeconds,
      limits: {
        initial: initialLimits(deps),
        asked: asked.askedLimits,
        chosen: { maxPerDayMicros, countries },
        confirmed: textField(request, 'confirmed') || null,
      },
      ...(filled.replaces !== null && { replaces: filled.replaces }),
      shown: { from: idOf(textField(request, 'limits_from')), standing: textField(request, 'limits_shown') },
    },
  }
}
