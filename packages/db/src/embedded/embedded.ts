import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { lockFolder } from './folder-lock.ts'
import { servePglite } from './pglite-server.ts'

/** A running embedded database. */
export interface Embedded {
  /** Connection URL on the loopback interface; its password is new at each start. */
  url: string
  close(): Promise<void>
}

/**
 * Starts PostgreSQL (PGlite) inside this process, its data under `folder` (made with mode 0700), and serves it to other
 * processes of this machine that are given the URL. What was committed survives the death of the process. Throws
 * FolderLockedError while another live process owns the folder, because two writers would lose data silently.
 * With `fresh` the old data is removed first.
 */
export async function startEmbedded(folder: string, { fresh = false } = {}): Promise<Embedded> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // The engine creates its files readable for all; the folder is what keeps others out.
  chmodSync(folder, 0o700)
  const unlock = lockFolder(folder)
  try {
    const dataDir = dataFolderIn(folder)
    if (fresh) rmSync(dataDir, { recursive: true, force: true })
    const db = await PGlite.create({ dataDir })
    const password = newSecret()
    const server = await servePglite(db, password)
    return {
      url: embeddedUrl(password, server.port),
      async close() {
        await server.close()
        await db.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}

/** Where the engine's files lie under the `folder` of {@link startEmbedded}. */
export function dataFolderIn(folder: string): string {
  return join(folder, 'postgres')
}

/** The URL of a PGlite front end. */
export function embeddedUrl(password: string, port: number): string {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/postgres?sslmode=disable`
}
