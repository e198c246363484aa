import type { Database } from '@vertexsms/db/client'
import { isUnreachable } from '@vertexsms/db/unreachable'
import type { Outbound } from '@vertexsms/service/outbound'
import { LRUCache } from 'lru-cache'
import { LIMITS, type RateLimiter } from '../rate-limit.ts'
import { cacheSeconds, DocumentRefused, readDocument } from './client-documents.ts'
import type { ClientRecord } from './clients.ts'

const MAX_DOCUMENT_BYTES = 10 * 1024
const FETCH_TIMEOUT_MS = 4000
const CACHE_FLOOR_SECONDS = 60
const CACHE_CEILING_SECONDS = 86_400
/** How long a failure is remembered, so that a slow or broken host is not asked again and again. */
const FAILURE_SECONDS = 60
/** How long an outdated document still serves while its host cannot be reached. */
const STALE_SECONDS = 7 * 86_400

/** The document could not be had just now; the same request may work later. */
export class DocumentUnavailable extends Error {
  override readonly name = 'DocumentUnavailable'
}

/** Finds the client behind a metadata document's URL. */
export interface ClientDocuments {
  /** Throws {@link DocumentRefused} for a document that may not be used, {@link DocumentUnavailable} when it cannot be had. */
  find(url: string, now: Date): Promise<ClientRecord>
}

/**
 * Metadata documents with a cache in the database, so that every node and every restart knows the client. Headers
 * decide how long a copy serves, within a floor and a ceiling; failures are not stored but remembered for a minute;
 * one fetch per URL is in flight, and each host is asked at a measured pace (MCP security best practices, SSRF).
 */
export function createClientDocuments(deps: {
  readonly db: Database
  readonly limiter: RateLimiter
  readonly outbound: Pick<Outbound, 'fetch'>
}): ClientDocuments {
  const fresh = new LRUCache<string, { record: ClientRecord; until: number }>({ max: 1000 })
  const failures = new LRUCache<string, { error: Error; until: number }>({ max: 1000 })
  const flights = new Map<string, Promise<ClientRecord>>()

  async function load(url: string, now: Date): Promise<ClientRecord> {
    const row = await deps.db.oidcClient.findUnique({ where: { id: url } })
    const stored = row ? ({ ...(row.payload as object), client_id: url } as ClientRecord) : undefined
    if (stored && row?.freshUntil && row.freshUntil > now) return keep(url, stored, row.freshUntil)
    const usable =
      row?.freshUntil && row.freshUntil.getTime() + STALE_SECONDS * 1000 > now.getTime() ? stored : undefined
    try {
      const failure = failures.get(url)
      if (failure && failure.until > now.getTime()) throw failure.error
      return await refresh(url, now)
    } catch (error) {
      // Our database is away, which says nothing about the document's host.
      if (isUnreachable(error)) throw error
      const known = error instanceof DocumentRefused ? error : new DocumentUnavailable('the document cannot be fetched')
      if (!failures.get(url) || (failures.get(url)?.until ?? 0) <= now.getTime()) {
        failures.set(url, { error: known, until: now.getTime() + FAILURE_SECONDS * 1000 })
      }
      if (usable && known instanceof DocumentUnavailable) return usable
      throw known
    }
  }

  async function refresh(url: string, now: Date): Promise<ClientRecord> {
    const verdict = await deps.limiter.hit('cimd-host', new URL(url).host, LIMITS.documentHost, now)
    if (!verdict.allowed) throw new DocumentUnavailable('the host was asked too often')
    const response = await deps.outbound.fetch(
      url,
      { headers: { accept: 'application/json' } },
      { maxBytes: MAX_DOCUMENT_BYTES, timeoutMs: FETCH_TIMEOUT_MS },
    )
    if (response.status >= 400 && response.status < 500 && response.status !== 408 && response.status !== 429) {
      throw new DocumentRefused(`the document's host answered ${response.status}`)
    }
    if (response.status !== 200) throw new DocumentUnavailable(`the document's host answered ${response.status}`)
    const metadata = readDocument(url, Buffer.from(response.body).toString('utf8'))
    const seconds = cacheSeconds(response.headers['cache-control'], {
      floor: CACHE_FLOOR_SECONDS,
      ceiling: CACHE_CEILING_SECONDS,
    })
    const freshUntil = new Date(now.getTime() + seconds * 1000)
    const payload = JSON.parse(JSON.stringify(metadata))
    await deps.db.oidcClient.upsert({
      where: { id: url },
      create: { id: url, payload, createdAt: now, freshUntil },
      update: { payload, freshUntil },
    })
    return keep(url, { ...metadata, client_id: url }, freshUntil)
  }

  function keep(url: string, record: ClientRecord, until: Date): ClientRecord {
    fresh.set(url, { record, until: until.getTime() })
    return record
  }

  return {
    async find(url, now) {
      const cached = fresh.get(url)
      if (cached && cached.until > now.getTime()) return cached.record
      const flying = flights.get(url)
      if (flying) return flying
      const flight = load(url, now).finally(() => flights.delete(url))
      flights.set(url, flight)
      return flight
    },
  }
}
