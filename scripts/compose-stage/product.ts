// The product as compose runs it: its addresses, and the demo account that the welcome names.

import { rememberSecret } from '../../e2e/support/secrets.ts'
import type { StackFacts } from '../../e2e/support/stack.ts'
import { type App, statusOf, waitFor } from './engine.ts'

export const ISSUER = 'http://localhost:4000'
export const MCP_URL = 'http://localhost:4001/mcp'
export const API_URL = 'http://localhost:4002'
const BASES: Record<App, string> = { auth: ISSUER, mcp: 'http://localhost:4001', api: API_URL }

/** The welcome's facts, in the shape the end-to-end helpers take. */
export function readWelcome(text: string): StackFacts {
  const line = (name: string) => new RegExp(`^${name}: (\\S+)$`, 'm').exec(text)?.[1] ?? ''
  const facts = { email: line('email'), password: line('password'), token: line('token') }
  if (!facts.email || !facts.password || !facts.token) throw new Error(`the welcome lacks a line:\n${text}`)
  for (const [kind, value] of Object.entries(facts)) rememberSecret(kind, value)
  return {
    ...facts,
    issuer: ISSUER,
    mcpUrl: MCP_URL,
    apiUrl: API_URL,
    ports: { auth: 4000, mcp: 4001, api: 4002 },
    pid: 0,
    dataDir: '',
    logFile: '',
    shiftFile: '',
  }
}

/** Alive, with the database or without. */
export const healthz = (app: App) => statusOf(`${BASES[app]}/healthz`)
/** Able to serve. */
export const readyz = (app: App) => statusOf(`${BASES[app]}/readyz`)

/** Waits until an app says it can serve; returns the milliseconds. */
export function waitReady(app: App, timeoutMs = 180_000): Promise<number> {
  return waitFor(`${app} to be ready`, timeoutMs, async () => (await readyz(app)) === 200)
}
