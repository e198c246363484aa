// Makes the secrets of a compose installation at its first start: `node make-secrets.js FOLDER`.
//
// Each secret goes into a folder of its own, which is one volume, so that a container mounts only what it may
// know. What exists is kept for ever: this program never replaces a secret. The database password also stands
// in a connection URL, for the programs that read DATABASE_URL_FILE.

import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

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

const secret = () => randomBytes(32).toString('base64url')
keep('operator/key', secret)
keep('edge/secret', secret)
const password = keep('database/password', secret)
keep('database/url', () => `postgresql://vertexsms:${password}@postgres:5432/vertexsms`)
