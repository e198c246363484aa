import type { Database } from '@vertexsms/db/client'
import { expect } from 'vitest'
import { createPasswordLink } from '../../src/accounts/password-link.ts'
import { runCommandLine } from '../../src/cli/run.ts'
import type { Stack } from './stack.ts'

/** How many ways into an account there are, of each kind: all that an ending ends. */
export async function waysIn(db: Database, accountId: string): Promise<Record<string, number>> {
  return {
    sessions: await db.session.count({ where: { accountId } }),
    passkeys: await db.passkey.count({ where: { accountId } }),
    connections: await db.connection.count({ where: { accountId, endedAt: null } }),
    tokens: await db.apiToken.count({ where: { accountId } }),
    artifacts: await db.oidcArtifact.count({ where: { accountId } }),
  }
}

/** When all have ended. */
export const NO_WAYS_IN = { sessions: 0, passkeys: 0, connections: 0, tokens: 0, artifacts: 0 }

/** What a command of the operator needs of the settings. */
export function operatorEnv({ env, issuer }: Stack, url: string = env.DATABASE_URL): Record<string, string> {
  return { DATABASE_URL: url, ISSUER_URL: issuer }
}

/** Runs a command of the operator, which must go well, and returns what it printed. */
export async function runOperator(stack: Stack, ...args: string[]): Promise<string> {
  const out: string[] = []
  const terminal = { env: operatorEnv(stack), readInput: async () => '', print: (line: string) => void out.push(line) }
  expect(await runCommandLine(args, { ...terminal, complain: terminal.print })).toBe(0)
  return out.join('\n')
}

/** A link that sets the password of an account. */
export function linkOf({ db, issuer }: Stack, { email }: { readonly email: string }): Promise<string> {
  return createPasswordLink(db, { issuerUrl: issuer, email, hours: 1, now: new Date() })
}

/** What in such a link must stay secret. */
export function secretOf(link: string): string {
  return new URL(link).searchParams.get('link') ?? ''
}
