import { appendFileSync, existsSync, readFileSync } from 'node:fs'

// Everything secret or personal that passes through the tests is written down here, across all workers, so that
// the canary test can look for it in the product's logs. The file lives only as long as the run.

/** One value that must not stand in any log. */
export interface Secret {
  readonly kind: string
  readonly value: string
}

const fileVariable = 'E2E_SECRETS_FILE'

/** Names the file for this process and its children; without it nothing is kept. */
export function keepSecretsIn(file: string): void {
  process.env[fileVariable] = file
}

/** Writes one value down; empty values are left out. */
export function rememberSecret(kind: string, value: string | undefined | null): void {
  const file = process.env[fileVariable]
  if (file !== undefined && value) appendFileSync(file, `${JSON.stringify({ kind, value })}\n`, { mode: 0o600 })
}

/** Every value written down in this run, without repeats. */
export function rememberedSecrets(): Secret[] {
  const file = process.env[fileVariable]
  if (file === undefined || !existsSync(file)) return []
  const lines = new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean))
  return [...lines].map((line) => JSON.parse(line) as Secret)
}
