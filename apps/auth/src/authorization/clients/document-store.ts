import type { IncomingHttpHeaders } from 'node:http'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { createMemory } from '@vertexsms/service/memory'
import { type Outbound, OutboundError } from '@vertexsms/service/outbound'
import { keepWithin } from '../../storage-quota.ts'
import type { RateLimiter } from '../../web/rate-limit.ts'
import { cacheSeconds, DocumentRefused, readDocument } from './client-document.ts'
import type { ClientRecord } from './registered-clients.ts'
import type { NormalizedMetadata } from './registration.ts'
import { countUnseen, fetchedHost } from './unseen-fetches.ts'

const MAX_DOCUMENT_BYTES = 10 * 1024
const FETCH_TIMEOUT_MS = 4000
const CACHE_FLOOR_SECONDS = 60
const CACHE_CEILING_SECONDS = 86_400
/** How long a failure is remembered, so that a slow or broken host is not asked again and again. */
const FAILURE_SECONDS = 60
/** How long an outdated document still serves while its host has no better one. */
const STALE_SECONDS = 7 * 86_400
/** Documents, and failures, that one process keeps in memory. */
const REMEMBERED_MAX = 1000

/** The document could not be had just now, or not read; the same request may work later. Says why, in words safe to show. */
export class DocumentUnavailable extends Error {
  override readonly name = 'DocumentUnavailable'
  readonly retryAfterSeconds: number
  /** 429 where it was not asked for, because the address that wants it had its share. */
  readonly statusCode: 429 | 503

  constructor(message: string, retryAfterSeconds: number, statusCode: 429 | 503 = 503) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
    this.statusCode = statusCode
  }
}

/** There is no document: its host says so (404, 410), or its URL is one that is never called. */
export class NoSuchDocument extends Error {
  override readonly name = 'NoSuchDocument'
}

/** Finds the client behind a metadata document's URL. */
export interface ClientDocuments {
  /**
   * `address` is who asks and pays for a fetch; null for a person whose request was let in before. Throws
   * {@link NoSuchDocument} when there is none, {@link DocumentUnavailable} when it cannot be had.
   */
  find(url: string, address: string | null): Promise<ClientRecord>
}

interface Failure extends Stay {
  readonly reason: string
  readonly gone: boolean
}

/** From when to when something is remembered, in milliseconds of this process's clock. */
interface Stay {
  readonly from: number
  readonly until: number
}

/** The row of a document, null where there is none, and when it was read. */
interface Known {
  readonly now: Date
  readonly row: { readonly freshUntil: Date | null } | null
}

type Result = { readonly record: ClientRecord } | { readonly failure: Failure }

/**
 * Metadata documents with a cache in the database, so that every node and every restart knows the client. Headers
 * decide how long a copy serves, within a floor and a ceiling, by the database's clock. Only its host's 404 or 410
 * withdraws a document; after any other failure, unreadable contents included, the stored copy serves for its stale
 * time. Failures are not stored but remembered for a minute; one fetch per URL is in flight. A URL is asked for at a
 * measured pace; for documents that were never seen, of clients that nobody connected, so are a host, and whoever names
 * them, at whatever endpoint. So made-up paths take nothing away from documents that were seen, and one address does not
 * use up a host's share (MCP security best practices, SSRF).
 */
export function createClientDocuments(deps: {
  readonly db: Database
  readonly limiter: RateLimiter
  readonly outbound: Pick<Outbound, 'fetch'>
  /** What the library has against a client, in words safe to show; null where it takes it. */
  readonly refusalOf: (client: ClientRecord) => Promise<string | null>
}): ClientDocuments {
  const fresh = createMemory<Stay & { readonly record: ClientRecord }>(REMEMBERED_MAX)
  const failures = createMemory<Failure>(REMEMBERED_MAX)
  const flights = new Map<string, Promise<Result>>()

  async function load(url: string, address: string | null): Promise<ClientRecord> {
    const now = await databaseNow(deps.db)
    const row = await deps.db.oidcClient.findUnique({ where: { id: url } })
    const stored = row ? ({ ...(row.payload as object), client_id: url } as ClientRecord) : undefined
    if (stored && row?.freshUntil && row.freshUntil > now) return keep(url, stored, row.freshUntil, now)
    const usable =
      row?.freshUntil && row.freshUntil.getTime() + STALE_SECONDS * 1000 > now.getTime() ? stored : undefined
    const isConnected = row !== null && row.lastUsedAt !== null
    const remembered = failures.get(url)
    const result =
      remembered && stays(remembered)
        ? { failure: remembered }
        : await ask(url, { now, row }, address, usable !== undefined || isConnected)
    if ('record' in result) return result.record
    const { failure } = result
    if (failure.gone) throw new NoSuchDocument(failure.reason)
    if (usable) return usable
    const seconds = Math.max(1, Math.ceil((failure.until - Date.now()) / 1000))
    throw new DocumentUnavailable(failure.reason, seconds)
  }

  /** Waits for the fetch that is under way, or begins one: of a document that was never seen at the cost of the address. */
  async function ask(url: string, known: Known, address: string | null, seen: boolean): Promise<Result> {
    if (!seen && address !== null && !flights.has(url)) {
      const verdict = await countUnseen(deps.limiter, url, address)
      // Not remembered: it is about this address, and the next may be let through.
      if (!verdict.allowed)
        throw new DocumentUnavailable('too many documents were asked for', verdict.retryAfterSeconds, 429)
    }
    const cached = freshOf(url)
    if (cached) return { record: cached }
    const flight = flights.get(url) ?? refresh(url, known, seen).finally(() => flights.delete(url))
    flights.set(url, flight)
    return flight
  }

  /**
   * Keeps the document as its host has it now; otherwise why not, which is remembered. What another node has learned since
   * the row was read stands: it may be that the document was withdrawn. Database failures are thrown.
   */
  async function refresh(url: string, { now, row }: Known, seen: boolean): Promise<Result> {
    const paced =
      (await deps.limiter.hit('documentUrl', { about: url })).allowed &&
      (seen || (await deps.limiter.hit('documentHost', { about: fetchedHost(url) })).allowed)
    if (!paced) return fail(url, 'the document was asked for too often')
    let answer: { metadata: NormalizedMetadata; headers: IncomingHttpHeaders }
    try {
      answer = await fetchDocument(deps.outbound, url)
      // Before it takes the place of a copy that the library took.
      const refusal = await deps.refusalOf({ ...answer.metadata, client_id: url })
      if (refusal !== null) throw new DocumentRefused(refusal)
    } catch (error) {
      if (!(error instanceof NoSuchDocument)) return fail(url, reasonOf(error))
      // For good: a host that fails after it withdrew the document does not bring it back.
      await deps.db.oidcClient.updateMany({ where: { id: url }, data: { freshUntil: null } })
      return fail(url, error.message, true)
    }
    const { metadata, headers } = answer
    const seconds = cacheSeconds(headers, { floor: CACHE_FLOOR_SECONDS, ceiling: CACHE_CEILING_SECONDS })
    const freshUntil = new Date(now.getTime() + seconds * 1000)
    const kept = await deps.db.$executeRaw`
      INSERT INTO oidc_client (id, payload, created_at, fresh_until)
      VALUES (${url}, ${JSON.stringify(metadata)}::jsonb, ${now}::timestamptz, ${freshUntil}::timestamptz)
      ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, fresh_until = excluded.fresh_until
      WHERE ${row !== null}::boolean AND oidc_client.fresh_until IS NOT DISTINCT FROM ${row?.freshUntil ?? null}::timestamptz`
    const record = { ...metadata, client_id: url }
    if (kept === 0) return { record }
    await keepWithin(deps.db, 'unusedDocuments', null)
    return { record: keep(url, record, freshUntil, now) }
  }

  function fail(url: string, reason: string, gone = false): { failure: Failure } {
    const from = Date.now()
    const failure = { reason, gone, from, until: from + FAILURE_SECONDS * 1000 }
    failures.set(url, failure)
    return { failure }
  }

  function keep(url: string, record: ClientRecord, freshUntil: Date, now: Date): ClientRecord {
    // Here by what is left of it: this process has another clock than the database, whose time `now` is.
    const from = Date.now()
    fresh.set(url, { record, from, until: from + freshUntil.getTime() - now.getTime() })
    return record
  }

  function freshOf(url: string): ClientRecord | undefined {
    const cached = fresh.get(url)
    return cached && stays(cached) ? cached.record : undefined
  }

  return { find: async (url, address) => freshOf(url) ?? load(url, address) }
}

/** True while it is remembered; what was learned later than now was learned before the clock was set back, and is over. */
function stays({ from, until }: Stay): boolean {
  const now = Date.now()
  return from <= now && now < until
}

/** Throws {@link NoSuchDocument}, DocumentRefused for contents that may not be used, or whatever kept us from them. */
async function fetchDocument(outbound: Pick<Outbound, 'fetch'>, url: string) {
  const { status, headers, body } = await outbound
    .fetch(
      url,
      { headers: { accept: 'application/json' } },
      { maxBytes: MAX_DOCUMENT_BYTES, timeoutMs: FETCH_TIMEOUT_MS },
    )
    .catch((error: unknown) => {
      throw error instanceof OutboundError && error.code === 'URL_REFUSED'
        ? new NoSuchDocument('its address is not one that can be fetched')
        : error
    })
  if (status === 404 || status === 410) throw new NoSuchDocument(`the document's host answered ${status}`)
  if (status !== 200) throw new DocumentRefused(`the document's host answered ${status}`)
  if (!isJson(headers['content-type'])) throw new DocumentRefused('the document is not served as application/json')
  return { metadata: readDocument(url, body), headers }
}

/**
 * True for JSON and what is written in it (draft-ietf-oauth-client-id-metadata-document §4). What a host lets others put
 * there, as text or as a page, is no client of it.
 */
function isJson(type: string | string[] | undefined): boolean {
  return typeof type === 'string' && /^application\/(?:[\w!#$&^.-]+\+)?json[ \t]*(?:;|$)/i.test(type)
}

/** Words that are safe to show: our own, never those of a socket. */
function reasonOf(error: unknown): string {
  return error instanceof DocumentRefused ? error.message : 'the document cannot be fetched'
}
