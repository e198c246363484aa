import { DATABASE_TIME_LIMITS } from '@vertexsms/service/env'
import type pg from 'pg'
import { READ_ONLY, ReportingClient, ReportingPool } from './unreachable.ts'

/** How long the database may take, in milliseconds, before whoever asked is told that it cannot answer now. */
export interface TimeLimits {
  /** To be connected, and to be given a free connection of the pool. */
  readonly connectMs: number
  /** One statement. */
  readonly statementMs: number
  /** To wait for what another transaction holds. */
  readonly lockMs: number
  /** A transaction in which nothing happens: the server ends it, and others get its locks. */
  readonly idleInTransactionMs: number
}

/** What holds where nothing else is set: the defaults of the settings. */
export const TIME_LIMITS: TimeLimits = DATABASE_TIME_LIMITS

/** A server that lives ends a statement itself and says so; only one that says nothing is waited for this much longer. */
const SILENCE_MARGIN_MS = 1_000

/**
 * A pool whose every wait ends. A server that is there keeps the limits, which it is told when a connection starts. One
 * that went silent without closing (a failover, a firewall) cannot: a query without an end for longer than its limit
 * breaks its own connection, and those that lie idle beside it go too, for they lead to the same silence. Whoever waited
 * is told ConnectionLost, and the next query connects anew. A server that says it is read-only, as one does that lost its
 * place to another, is left in the same way: under the same name there may be one that takes writes.
 */
export class LimitedPool extends ReportingPool {
  constructor(config: pg.PoolConfig, limits: TimeLimits) {
    const silenceMs = limits.statementMs + SILENCE_MARGIN_MS
    super(
      {
        ...config,
        connectionTimeoutMillis: limits.connectMs,
        statement_timeout: limits.statementMs,
        lock_timeout: limits.lockMs,
        idle_in_transaction_session_timeout: limits.idleInTransactionMs,
        keepAlive: true,
      },
      limitedClient(silenceMs, () => this.discardIdle()),
    )
  }

  private discardIdle(): void {
    for (let left = this.idleCount; left > 0; left--) {
      this.connect().then(
        (client) => client.release(true),
        // None could be had: then none is idle any more.
        () => {},
      )
    }
  }
}

function limitedClient(silenceMs: number, onUseless: () => void): typeof ReportingClient {
  return class LimitedClient extends ReportingClient {
    constructor(config: pg.ClientConfig) {
      super(config)
      this.query = watched(this, this.query, silenceMs, onUseless)
    }
  }
}

/** The same method; a call that is not answered in time breaks the connection, which fails the call. */
function watched<Query extends (...args: never[]) => unknown>(
  client: pg.Client,
  query: Query,
  silenceMs: number,
  onUseless: () => void,
): Query {
  let readOnly = false
  return ((...args: unknown[]) => {
    const timer = setTimeout(() => {
      // With a query under way this destroys the socket instead of saying goodbye.
      client.end().catch(() => {})
      onUseless()
    }, silenceMs)
    const answered = (error?: unknown) => {
      clearTimeout(timer)
      if ((error as { code?: unknown } | null | undefined)?.code === READ_ONLY) {
        readOnly = true
        onUseless()
      } else if (readOnly && !error) {
        // The end of the transaction that was refused. A statement outside of one is thrown away with its connection.
        client.end().catch(() => {})
      }
    }
    const callback = args.at(-1)
    if (typeof callback === 'function') {
      args[args.length - 1] = (...answer: unknown[]) => {
        answered(answer[0])
        callback(...answer)
      }
    }
    const result = Reflect.apply(query, client, args)
    if (result instanceof Promise) result.then(() => answered(), answered)
    // A cursor or stream tells nobody when it is over.
    else if (typeof callback !== 'function') answered()
    return result
  }) as unknown as Query
}
