import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SHORT_LIVED_FLAGS } from '../../../scripts/short-lived.ts'
import { bundleForTests } from '../src/bundle.ts'
import { STOP_WITHIN_MS } from '../src/run.ts'

const SERVICE = 'packages/service/test/support/service'
const programs = mkdtempSync(join(tmpdir(), 'vertexsms-run-'))
beforeAll(() => bundleForTests([`${SERVICE}.ts`], programs))
afterAll(() => rmSync(programs, { recursive: true }))
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function start(env: Record<string, string> = {}, out: 'pipe' | number = 'pipe') {
  const child = spawn(process.execPath, [...SHORT_LIVED_FLAGS, join(programs, `${SERVICE}.js`)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', out, 'pipe', 'ipc'],
  })
  children.push(child)
  const said = { out: '', err: '' }
  child.stdout?.on('data', (text) => {
    said.out += text
  })
  child.stderr?.on('data', (text) => {
    said.err += text
  })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  return { child, said, exited }
}

async function listening(env: Record<string, string> = {}, out: 'pipe' | number = 'pipe') {
  const started = start(env, out)
  const [{ port }] = (await once(started.child, 'message')) as [{ port: number }]
  return { ...started, port }
}

describe('a service process', () => {
  it('serves, and finishes what is in flight, where what it logs finds no room', async () => {
    const full = openSync('/dev/full', 'w')
    const { child, port, exited, said } = await listening({}, full)
    closeSync(full)
    const answer = fetch(`http://127.0.0.1:${port}/wait/700`).then((response) => response.text())
    await once(child, 'message')
    child.kill('SIGTERM')
    expect(await answer).toBe('waited')
    expect([await exited, said.err]).toEqual([0, ''])
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes what is in flight on %s, takes nothing new, and ends with 0',
    async (signal) => {
      const { child, port, exited } = await listening()
      const answer = fetch(`http://127.0.0.1:${port}/wait/700`).then((response) => response.text())
      await once(child, 'message')
      const begun = Date.now()
      child.kill(signal)
      expect(await answer).toBe('waited')
      expect(await exited).toBe(0)
      expect(Date.now() - begun).toBeLessThan(5_000)
      await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow()
    },
  )

  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGTERM'],
    ['SIGHUP', 'SIGHUP'],
  ] as const)('finishes what is in flight on %s though %s comes besides', async (first, second) => {
    const { child, port, said, exited } = await listening()
    const answer = fetch(`http://127.0.0.1:${port}/wait/700`).then((response) => response.text())
    await once(child, 'message')
    child.kill(first)
    await expect.poll(() => said.out).toContain('"stopping"')
    child.kill(second)
    expect(await answer).toBe('waited')
    expect(await exited).toBe(0)
  })

  it('is gone within the time it has to stop even when a request never ends, however often it is told', async () => {
    const { child, port, said, exited } = await listening({ STOP_WITHIN_MS: '300' })
    const answer = fetch(`http://127.0.0.1:${port}/wait/60000`).catch(() => 'cut')
    await once(child, 'message')
    const begun = Date.now()
    child.kill('SIGTERM')
    await expect.poll(() => said.out).toContain('"stopping"')
    child.kill('SIGTERM')
    expect(await exited).toBe(1)
    expect(Date.now() - begun).toBeLessThan(5_500)
    expect(await answer).toBe('cut')
    // Unless told otherwise it has less than five seconds.
    expect(STOP_WITHIN_MS).toBeLessThan(5_000)
  })

  it('ends when the process that started it is gone', async () => {
    const { child } = await listening()
    const exited = once(child, 'exit')
    child.disconnect()
    expect(await exited).toEqual([0, null])
  })

  it('names every wrong setting at once and ends with 1', async () => {
    const { said, exited } = start({ BREAK: 'configuration', A_PORT: 'canary' })
    expect(await exited).toBe(1)
    expect(said.err).toContain('A_PORT: must be')
    expect(said.err).toContain('A_SECRET: is not set')
    expect(said.err + said.out).not.toContain('canary')
  })

  it('says where a failing start failed, without the message that may quote a URL', async () => {
    const { said, exited } = start({ BREAK: 'code' })
    expect(await exited).toBe(1)
    expect(said.err).toMatch(/cannot start: Error E_X\n\s+at .*service\.js/)
    expect(said.err + said.out).not.toContain('canary')
  })

  it('ends with 1 and one sentence when its port is taken', async () => {
    const { port } = await listening()
    const { exited, said } = start({ PORT: String(port) })
    expect(await exited).toBe(1)
    expect(said.err).toBe(`cannot listen on port ${port}: another program has it; stop that, or choose another port\n`)
    expect(said.out).toBe('')
  })

  it('under a name with several addresses listens at one, where all rules of its HTTP hold', async () => {
    // As a machine resolves the name that has it twice in its table of hosts.
    const resolver = `import dns from 'node:dns'
      import { syncBuiltinESMExports } from 'node:module'
      const addresses = [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }]
      const first = (order) => addresses[order === 'ipv4first' ? 1 : 0]
      dns.promises.lookup = async (_name, { all, order }) => (all ? addresses : first(order))
      const { lookup } = dns
      dns.lookup = (name, options, done) =>
        name === 'localhost' && options.all ? done(null, addresses) : lookup(name, options, done)
      syncBuiltinESMExports()`
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(resolver)}`
    const { port } = await listening({ HOST: 'localhost', NODE_OPTIONS })
    await expect(fetch(`http://[::1]:${port}/healthz`)).rejects.toThrow()
    const socket = connect(port, '127.0.0.1')
    socket.write(
      'GET http://elsewhere.example/healthz HTTP/1.1\r\nHost: localhost\r\nExpect: 200-ok\r\nConnection: close\r\n\r\n',
    )
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 OK/)
  })

  it('says the same of what it listens on besides, by the setting that names the address', async () => {
    const { port } = await listening()
    const taken = start({ INTERNAL_PORT: String(port) })
    const elsewhere = start({ INTERNAL_PORT: '0', INTERNAL_HOST: '203.0.113.5' })
    expect([await taken.exited, await elsewhere.exited]).toEqual([1, 1])
    const reason = 'another program has it; stop that, or choose another port'
    expect(taken.said).toEqual({ out: '', err: `cannot listen on port ${port}: ${reason}\n` })
    const unknown = 'cannot listen on port 0: INTERNAL_HOST names no address of this machine\n'
    expect(elsewhere.said).toEqual({ out: '', err: unknown })
    const { child, exited } = await listening({ INTERNAL_PORT: '0' })
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
  })

  it('logs an error nobody caught without its message and stops', async () => {
    const { port, exited, said } = await listening()
    await fetch(`http://127.0.0.1:${port}/crash`).catch(() => {})
    expect(await exited).toBe(1)
    expect(said.out).toContain('unexpected error, stopping')
    expect(said.out + said.err).not.toContain('canary')
  })

  it('logs one that comes while it stops as well', async () => {
    const { child, port, exited, said } = await listening()
    fetch(`http://127.0.0.1:${port}/wait/60000`).catch(() => {})
    await once(child, 'message')
    const last = connect(port, '127.0.0.1').on('error', () => {})
    last.write('GET /crash HTTP/1.1\r\nHost: localhost\r\n')
    await once(last, 'connect')
    child.kill('SIGTERM')
    await expect.poll(() => said.out).toContain('"stopping"')
    last.write('\r\n')
    expect(await exited).toBe(1)
    expect(said.out).toContain('"unexpected error, stopping"')
    expect(said.out + said.err).not.toContain('canary')
  })
})
