import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

const FOLDER = fileURLToPath(new URL('../public', import.meta.url))
const PREFIX = '/assets/'

/** Where pages find their assets: an address that holds a hash of their bytes, so that it may be kept for good. */
export const ASSETS = `${PREFIX}${hashOf(FOLDER)}`

function hashOf(folder: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).sort()) hash.update(`${name}\0`).update(readFileSync(join(folder, name)))
  return hash.digest('base64url').slice(0, 16)
}

/**
 * Serves the assets of pages. Under {@link ASSETS} they are immutable (RFC 8246) for a year. Under another hash, which
 * is that of a node with other bytes while a new version is rolled out, they are what this node has, and not kept. The
 * icons have an address without one as well, for clients that show them.
 */
export async function registerAssets(app: FastifyInstance): Promise<void> {
  await app.register(fastifyStatic, {
    root: FOLDER,
    prefix: PREFIX,
    index: false,
    setHeaders: (reply, path) => {
      const kept = keptFor(reply.request.url, path)
      if (kept !== null) reply.header('cache-control', kept)
    },
  })
  app.get<{ Params: { name: string } }>(`${PREFIX}:hash/:name`, (request, reply) => reply.sendFile(request.params.name))
}

function keptFor(url: string, path: string): string | null {
  if (url.startsWith(`${ASSETS}/`)) return 'public, max-age=31536000, immutable'
  if (url.slice(PREFIX.length).includes('/')) return 'no-store'
  return /\.(png|svg)$/.test(path) ? 'public, max-age=86400' : null
}
