// The forwarder itself in front of the stand-in, for tests that make nodes without HTTP.

import type { Database } from '@vertexsms/db/client'
import { API_KEY_PURPOSES, deriveApiKeys, derivedKeysSchema } from '@vertexsms/secrets/derived-keys'
import type { SendingUpstream } from '../../src/upstream/upstream.ts'
import { createUpstreamClient } from '../../src/upstream/vertexsms/client.ts'
import { createVertexAccess, createVertexOperator } from '../../src/upstream/vertexsms/operator.ts'
import { createReportAddresses } from '../../src/upstream/vertexsms/report-address.ts'
import { RATES, readMobile } from '../stand-in/data.ts'
import { type Fault, startStandIn } from '../stand-in/stand-in.ts'
import type { FakeOperator, Fate } from './fake-operator.ts'
import { giveToken } from './vertex.ts'

const keys = derivedKeysSchema(API_KEY_PURPOSES).parse(deriveApiKeys(Buffer.alloc(32, 7)))

const FAULTS: Readonly<Record<Fate, Fault | undefined>> = {
  accepted: undefined,
  refused: { kind: 'status', status: 400 },
  lost_charged: { kind: 'reset_after' },
  lost: { kind: 'reset_before' },
}

/** The forwarder, and what the other side counted. */
export interface CountedOperator {
  readonly operator: SendingUpstream
  /** By our id: how often it was accepted. */
  handOvers(): FakeOperator['handOvers']
  /** By our id: what the other side takes for it, and from whom. */
  charges(): FakeOperator['charges']
  close(): Promise<void>
}

/** Makes one for these accounts, each with a token of its own; `fate` decides of each message. */
export async function vertexOperator(
  owner: Database,
  db: Database,
  accounts: readonly string[],
  fate: () => Fate,
): Promise<CountedOperator> {
  const tokenOf = (accountId: string) => `upstream-token-${accountId}`
  const standIn = await startStandIn({
    tokens: accounts.map(tokenOf),
    reportAfterMs: null,
    chance: (route) => (route === 'POST /sms' ? FAULTS[fate()] : undefined),
  })
  for (const accountId of accounts) await giveToken(owner, accountId, { token: tokenOf(accountId) })
  const client = createUpstreamClient(standIn.url)
  // Nobody listens there: the test reports by itself.
  const addresses = createReportAddresses(keys['report-address'], 'http://127.0.0.1:9')
  const access = createVertexAccess({
    db,
    client,
    addresses,
    tokenKey: keys['upstream-token'],
    issuer: 'http://localhost:4000',
    sendTimeoutMs: 2_000,
    readTimeoutMs: 30_000,
  })
  const idOf = (address = '') => BigInt(new URL(address).pathname.split('/')[3] ?? 0)
  const accountOf = new Map(accounts.map((accountId) => [tokenOf(accountId), accountId]))
  return {
    operator: createVertexOperator(access, addresses),
    handOvers() {
      const counts = new Map<bigint, number>()
      for (const { address } of standIn.accepted) counts.set(idOf(address), (counts.get(idOf(address)) ?? 0) + 1)
      return counts
    },
    charges: () =>
      new Map(
        standIn.accepted.map(({ address, to, token, parts }) => {
          const rate = Number(readMobile(to)?.network?.Rate ?? RATES[0]?.Rate)
          const micros = BigInt(Math.round(rate * 1e6)) * BigInt(parts)
          return [idOf(address), { accountId: accountOf.get(token) ?? '', micros }]
        }),
      ),
    async close() {
      await client.close()
      await standIn.close()
    },
  }
}
