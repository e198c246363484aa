// Makes the secrets of a compose installation at its first start: `node make-secrets.js FOLDER`.
//
// Each secret goes into a folder of its own, which is one volume, so that a container mounts only what it may
// know. What exists is kept for ever: this program never replaces a secret. The database password also stands
// in a connection URL, for the programs that read DATABASE_URL_FILE.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deriveApiKeys } from '@vertexsms/secrets/derived-keys'
import { newSecret } from '@vertexsms/secrets/new-secret'

const folder = process.argv[2] ?? '/secrets'

/** The file's content; made first if the file is not there. Readable by its owner and group, writable by none. */
function keep(file: string, make: () => string): string {
  const path = join(folder, file)
  if (existsSync(path)) return readFileSync(path, 'utf8')
  // Whole or not at all: a stop in the middle leaves no half secret.
  const value = make()
  writeFileSync(`${path}.new`, value, { mode: 0o440 })
  renameSync(`${path}.new`, path)
  console.log(`made ${file}`)
  return value
}

/** What follows from another secret; written anew when a new version derives more. */
function derive(file: string, value: string): void {
  const path = join(folder, file)
  if (existsSync(path) && readFileSync(path, 'utf8') === value) return
  rmSync(path, { force: true })
  keep(file, () => value)
}

const operatorKey = keep('operator/key', newSecret)
derive('api/keys', deriveApiKeys(Buffer.from(operatorKey, 'base64url')))
keep('edge/secret', newSecret)
const database = (user: string, password: string) => `postgresql://${user}:${password}@postgres:5432/vertexsms`
// The cluster's own user, which makes the other three (prepare-database.js), and those three: one a service.
const password = keep('database/password', newSecret)
keep('database/url', () => database('vertexsms', password))
for (const role of ['migrate', 'auth', 'api']) {
  keep(`database-${role}/url`, () => database(`vertexsms_${role}_login`, newSecret()))
}
