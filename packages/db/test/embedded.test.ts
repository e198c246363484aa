import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleForTests } from '@vertexsms/service/bundle'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SHORT_LIVED_FLAGS } from '../../../scripts/short-lived.ts'
import { startEmbedded } from '../src/embedded/embedded.ts'
import { FolderLockedError, lockFolder } from '../src/embedded/folder-lock.ts'

const OWNER = 'packages/db/test/support/owner'
const programs = mkdtempSync(join(tmpdir(), 'vertexsms-owner-'))
/** A database that was begun once: beginning one takes seconds, copying it does not. */
const begun = join(programs, 'begun')
let begunMode: number
beforeAll(async () => {
  await bundleForTests([`${OWNER}.ts`], programs)
  mkdirSync(begun, { mode: 0o755 })
  const database = await startEmbedded(begun)
  begunMode = statSync(begun).mode & 0o777
  await database.close()
})
afterAll(() => rmSync(programs, { recursive: true }))
let folder: string
const children: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'))
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

async function own(path: string): Promise<{ child: ChildProcess; said: string }> {
  const command = [...SHORT_LIVED_FLAGS, join(programs, `${OWNER}.js`), path]
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  if (!child.stdout) throw new Error('no output')
  const [said] = await once(child.stdout, 'data')
  return { child, said: String(said).trim() }
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** Inserts until the connection breaks; returns what was acknowledged. */
async function insertUntilDeath(url: string, firstId: number, enough: () => void): Promise<number[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  const acknowledged: number[] = []
  try {
    await client.connect()
    for (let id = firstId; ; id++) {
      await client.query('BEGIN')
      await client.query('INSERT INTO kept VALUES ($1)', [id])
      await client.query('COMMIT')
      acknowledged.push(id)
      if (acknowledged.length === 20) enough()
    }
  } catch {
    return acknowledged
  }
}

describe('the embedded database', () => {
  it('keeps everything it acknowledged through kill -9 in the middle of transactions', {
    timeout: 120_000,
  }, async () => {
    const path = join(folder, 'data')
    cpSync(begun, path, { recursive: true })
    const acknowledged: number[] = []
    for (let round = 0; round < 3; round++) {
      const { child, said: url } = await own(path)
      if (round === 0) {
        const client = new pg.Client({ connectionString: url })
        await client.connect()
        await client.query('CREATE TABLE kept (id int PRIMARY KEY)')
        await client.end()
      }
      let enough: () => void = () => {}
      const busy = new Promise<void>((resolve) => {
        enough = resolve
      })
      const inserting = insertUntilDeath(url, round * 1_000_000, enough)
      await busy
      await kill(child)
      acknowledged.push(...(await inserting))
    }
    const database = await startEmbedded(path)
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const { rows } = await client.query('SELECT id FROM kept')
    await client.end()
    await database.close()
    const present = new Set(rows.map(({ id }) => id))
    expect(acknowledged.length).toBeGreaterThanOrEqual(60)
    expect(acknowledged.filter((id) => !present.has(id))).toEqual([])
  })

  it('refuses a second process on the same folder, and a second start in the same process', async () => {
    cpSync(begun, folder, { recursive: true })
    const first = await startEmbedded(folder)
    await expect(startEmbedded(folder)).rejects.toBeInstanceOf(FolderLockedError)
    const { said } = await own(folder)
    expect(said).toBe('refused FolderLockedError')
    await first.close()
    const second = await startEmbedded(folder)
    await second.close()
  })

  it('keeps its folder closed to other users of the machine', () => {
    expect(begunMode).toBe(0o700)
  })

  it('starts over when asked to, and only then', async () => {
    const path = join(folder, 'data')
    cpSync(begun, path, { recursive: true })
    const ask = async (options: { fresh?: boolean }, sql: string) => {
      const database = await startEmbedded(path, options)
      const client = new pg.Client({ connectionString: database.url })
      await client.connect()
      const { rows } = await client.query(sql)
      await client.end()
      await database.close()
      return rows
    }
    await ask({}, 'CREATE TABLE here (id int)')
    expect(await ask({}, `SELECT to_regclass('here') AS name`)).toEqual([{ name: 'here' }])
    expect(await ask({ fresh: true }, `SELECT to_regclass('here') AS name`)).toEqual([{ name: null }])
  })
})

describe('the lock of a folder', () => {
  it('is given back, and taken over from a process that is gone', () => {
    const unlock = lockFolder(folder)
    expect(() => lockFolder(folder)).toThrow(FolderLockedError)
    unlock()
    expect(existsSync(join(folder, 'lock'))).toBe(false)
    writeFileSync(join(folder, 'lock'), '4194301 1')
    lockFolder(folder)()
    writeFileSync(join(folder, 'lock'), '')
    lockFolder(folder)()
  })

  it.skipIf(process.platform !== 'linux')('is taken over when its process id now belongs to another process', () => {
    writeFileSync(join(folder, 'lock'), `${process.ppid} 1`)
    lockFolder(folder)()
  })

  it('is not taken over by two at once, but is after a take-over that was killed', () => {
    writeFileSync(join(folder, 'lock'), '4194301 1')
    mkdirSync(join(folder, 'lock.takeover'))
    expect(() => lockFolder(folder)).toThrow(FolderLockedError)
    const old = new Date(Date.now() - 60_000)
    utimesSync(join(folder, 'lock.takeover'), old, old)
    lockFolder(folder)()
  })
})
