import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase, type Database } from '@vertexsms/db/client'
import { migrate } from '@vertexsms/db/migrate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { type Node, seed, startNode } from './support/world.ts'

const binaries = findBinaries()

/** Where `initdb` and `pg_ctl` are: Debian keeps them out of the path. */
function findBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []
  return [...versions, ...(process.env.PATH ?? '').split(':')].find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')),
  )
}

if (!binaries) process.stdout.write('skipped: no PostgreSQL server on this machine (initdb, pg_ctl)\n')

/** A cluster of its own on a Unix socket; a server refuses to run as root, so root lends it another user. */
function createCluster(folder: string) {
  const asRoot = process.getuid?.() === 0
  const run = (program: string, args: string[]) => {
    const command = [join(binaries ?? '', program), ...args]
    const [file = '', ...rest] = asRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command
    execFileSync(file, rest, { stdio: 'ignore', cwd: folder })
  }
  if (asRoot) execFileSync('chown', ['postgres', folder])
  const data = join(folder, 'data')
  run('initdb', ['-D', data, '-U', 'tests', '-A', 'trust', '--no-sync', '-E', 'UTF8'])
  const options = `-c listen_addresses='' -c unix_socket_directories='${folder}' -c fsync=off`
  return {
    url: `postgresql://tests@localhost/postgres?host=${encodeURIComponent(folder)}`,
    start: () => run('pg_ctl', ['-D', data, '-w', '-o', options, '-l', join(folder, 'log'), 'start']),
    stop: (mode: 'fast' | 'immediate') => run('pg_ctl', ['-D', data, '-w', '-m', mode, 'stop']),
  }
}

describe.skipIf(!binaries)('over a PostgreSQL server', () => {
  let folder: string
  let cluster: ReturnType<typeof createCluster>
  let db: Database
  let node: Node
  let token: string
  let running = false

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vertexsms-postgres-'))
    cluster = createCluster(folder)
    cluster.start()
    running = true
    await migrate(cluster.url)
    db = createDatabase({ url: cluster.url, poolSize: 2 })
    token = (await seed(db).makeAccount()).token
    node = await startNode(cluster.url, { SANDBOX_DELIVERY_MS: '200' })
  })
  afterAll(async () => {
    await node?.close()
    await db?.$disconnect()
    if (running) cluster.stop('immediate')
    rmSync(folder, { recursive: true, force: true })
  })

  const sms = { to: '37060000001', from: 'Tests', message: 'Hello' }

  test.each(['fast', 'immediate'] as const)(
    'a %s stop of it makes the API answer 503, never 401, and its return is enough for everything to go on',
    async (mode) => {
      const scheduled = new Date(Date.now() + 3_600_000).toISOString()
      const accepted = await node.call('POST /sms', { token, body: { ...sms, scheduled } })
      expect(accepted.status).toBe(200)
      const id = BigInt(accepted.body[0])
      cluster.stop(mode)
      running = false
      for (const request of ['GET /token', 'GET /rates', 'GET /hlr/1']) {
        const { status, headers, body } = await node.call(request, { token })
        expect([status, body.code, body.error_code], request).toEqual([503, 'UNAVAILABLE', null])
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
      }
      expect((await node.call('GET /readyz')).status).toBe(503)
      expect((await node.call('GET /healthz')).status).toBe(200)
      cluster.start()
      running = true
      await eventually(async () => (await node.call('GET /token', { token })).status === 200)
      expect((await node.call('GET /readyz')).status).toBe(200)
      expect((await node.call('POST /sms', { token, body: sms })).status).toBe(200)
      const now = new Date()
      await db.send.updateMany({ where: { messages: { some: { id } } }, data: { scheduledAt: now } })
      await eventually(async () => (await db.message.findFirst({ where: { orderId: id } }))?.status === 'delivered')
    },
  )

  test('a connection that the server ends in the middle of a request is told with 503 where nothing left, and by name where it may have been carried out', async () => {
    const answers = await Promise.all([
      ...Array.from({ length: 40 }, () => node.call('POST /sms', { token, body: sms })),
      db.$queryRaw`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`,
    ])
    for (const answer of answers.slice(0, 40)) {
      const { status, body } = answer as { status: number; body: { code?: string } }
      expect([200, 429, 500, 503]).toContain(status)
      if (status === 500) expect(body.code).toBe('SEND_OUTCOME_UNKNOWN')
    }
    await eventually(async () => (await node.call('GET /token', { token })).status === 200)
  })
})
