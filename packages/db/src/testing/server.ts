import { execFileSync } from 'node:child_process'
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTestDatabaseUrl } from '../env.ts'

const DEBIAN_FOLDER = '/usr/lib/postgresql'

// Far more than a few databases of 9 MB each at a time, and their log.
const MEMORY_FOLDER = '/dev/shm'
const MEMORY_BYTES = 2_000_000_000

// A server that lives as long as the tests: nothing of it has to survive anything.
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  // Databases of a minute's life: looking after each of them cost more than the tests' own statements.
  autovacuum: 'off',
  jit: 'off',
  // A plan once for each connection and statement, not five times: planning cost more than running.
  plan_cache_mode: 'force_generic_plan',
  wal_level: 'minimal',
  max_wal_size: '256MB',
  max_wal_senders: '0',
}

// Memory in large pages, where the C library and the kernel have them to ask for: every connection is a process, and an
// eighth of the server's time went into giving each its memory by four kilobytes.
const ENVIRONMENT = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' }

/**
 * Vitest's global setup: where PostgreSQL is installed (Debian's place) and TEST_DATABASE_URL names no server, starts a
 * private one in a temporary folder, tells the tests by TEST_DATABASE_URL, and removes it after them. Without it the
 * tests use the embedded database, a few times slower. Nothing outside the temporary folder is touched.
 */
export default async function setup(): Promise<(() => void) | undefined> {
  const bin = newestBin()
  if (bin === undefined || readTestDatabaseUrl() !== undefined || process.env.TEST_DATABASE === 'embedded') return
  const folder = mkdtempSync(join(quickFolder(), 'vertexsms-postgres-'))
  const data = join(folder, 'data')
  const port = await freePort()
  mkdirSync(data)
  // PostgreSQL refuses to run as root; Debian's package brings the user.
  const asRoot = process.getuid?.() === 0
  if (asRoot) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })))
    for (const path of [folder, data]) chownSync(path, uid ?? 0, gid ?? 0)
  }
  const run = (program: string, ...args: string[]) => {
    const command = [join(bin, program), '-D', data, ...args]
    const [file = '', ...rest] = asRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command
    execFileSync(file, rest, {
      cwd: folder,
      env: { ...ENVIRONMENT, ...process.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  }
  // Also where the run is ended from outside, without its teardown.
  const end = () => {
    process.off('exit', end)
    try {
      run('pg_ctl', '-m', 'immediate', 'stop')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  process.once('exit', end)
  run('initdb', '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N')
  const options = Object.entries({ ...SETTINGS, port: String(port) }).map(([name, value]) => `-c ${name}=${value}`)
  run('pg_ctl', '-l', join(folder, 'log'), '-w', '-o', options.join(' '), 'start')
  process.env.TEST_DATABASE_URL = `postgresql://postgres@127.0.0.1:${port}/postgres`
  process.env.TEST_DATABASES_KEPT = '1'
  return end
}

/**
 * In memory where there is room: each test file's database is hundreds of files that are made and removed again, which a
 * disk's file system takes half of the server's time for.
 */
function quickFolder(): string {
  try {
    accessSync(MEMORY_FOLDER, constants.W_OK)
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER)
    return bavail * bsize >= MEMORY_BYTES ? MEMORY_FOLDER : tmpdir()
  } catch {
    return tmpdir()
  }
}

function newestBin(): string | undefined {
  if (!existsSync(DEBIAN_FOLDER)) return undefined
  const versions = readdirSync(DEBIAN_FOLDER).sort((left, right) => Number(right) - Number(left))
  return versions.map((version) => join(DEBIAN_FOLDER, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
