// A node in front of the stand-in of the real API.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { upstreamTokenContext } from '@vertexsms/contract/upstream-account'
import type { Database } from '@vertexsms/db/client'
import { API_KEY_PURPOSES, deriveApiKeys, derivedKeysSchema } from '@vertexsms/secrets/derived-keys'
import { seal } from '@vertexsms/secrets/seal'
import { type Behaviour, type StandIn, startStandIn } from '../stand-in/stand-in.ts'
import { startWorld, type World } from './world.ts'

/** The token that the stand-in takes. */
export const UPSTREAM_TOKEN = 'upstream-token-of-the-tests-0001'

/** The keys of the nodes of tests. */
const keys = derivedKeysSchema(API_KEY_PURPOSES).parse(deriveApiKeys(Buffer.alloc(32, 7)))

/** Sets the token of an account, as its owner does on the dashboard. */
export async function giveToken(
  db: Database,
  accountId: string,
  { token = UPSTREAM_TOKEN, generation = 1, hlrPriceMicros = 5_000n as bigint | null } = {},
): Promise<void> {
  const row = { id: randomUUID(), accountId, generation }
  const sealedToken = seal(keys['upstream-token'], token, upstreamTokenContext(row))
  const rest = { sealedToken, lastFour: token.slice(-4), hlrPriceMicros, changedAt: new Date() }
  await db.upstreamAccount.deleteMany({ where: { accountId } })
  await db.upstreamAccount.create({ data: { ...row, ...rest } })
}

/** A free port. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A world whose upstream is the stand-in, and which it can report to. */
export interface VertexWorld {
  readonly world: World
  readonly standIn: StandIn
  /** An account with a token at the stand-in. */
  makeAccount(): Promise<{ accountId: string; token: string }>
  close(): Promise<void>
}

/** Starts both; with `reports: false` the node has no public address. */
export async function startVertexWorld(
  behaviour: Partial<Behaviour> = {},
  env: Record<string, string> = {},
  { reports = true } = {},
): Promise<VertexWorld> {
  const standIn = await startStandIn(behaviour)
  const port = await freePort()
  const world = await startWorld({
    UPSTREAM: 'vertexsms',
    VERTEXSMS_API_URL: standIn.url,
    VERTEXSMS_ASK_AFTER_MS: '50',
    API_PORT: String(port),
    ...(reports ? { REPORT_ADDRESS: `http://127.0.0.1:${port}` } : {}),
    ...env,
  })
  const makeAccount = async () => {
    const made = await world.makeAccount()
    await giveToken(world.db, made.accountId)
    return made
  }
  await giveToken(world.db, world.accountId)
  return {
    world,
    standIn,
    makeAccount,
    close: async () => {
      await world.close()
      await standIn.close()
    },
  }
}
