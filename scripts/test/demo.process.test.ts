// The demo as a newcomer meets it: its settings, ports, folder, log, start and stop.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lockFolder } from '@vertexsms/db/folder-lock'
import { layEmbedded } from '@vertexsms/db/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { childEnvironment, describeApps } from '../demo/apps.ts'
import { openLog, troubleOf } from '../demo/log.ts'
import { waitForPorts } from '../demo/ports.ts'
import { realAccountNotes } from '../demo/real-account.ts'
import {
  forget,
  keepOperatorEnvironment,
  keepSecrets,
  readOperatorEnvironment,
  readSettings,
} from '../demo/settings.ts'
import { welcomeText } from '../welcome.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function takenPort() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, free: () => server.close() }
}

describe('the welcome block', () => {
  const welcome = {
    dashboardUrl: 'http://localhost:4000',
    mcpUrl: 'http://localhost:4001/mcp',
    apiUrl: 'http://localhost:4002',
    email: 'demo@vertexsms.test',
    password: 'a-password',
    token: 'vsms_token',
  }
  const text = welcomeText(welcome)

  it('has account, password and token on lines of their own', () => {
    const lines = text.split('\n')
    for (const line of ['email: demo@vertexsms.test', 'password: a-password', 'token: vsms_token'])
      expect(lines).toContain(line)
  })

  it('shows the account and the addresses on a terminal of 24 lines of 80 characters, with three lines of the launcher below', () => {
    const rows = text
      .trimEnd()
      .split('\n')
      .flatMap((line) => line.match(/.{1,80}/g) ?? [''])
    const shown = rows.slice(-(24 - 2 * 3 - 1)).join('\n')
    for (const part of [welcome.dashboardUrl, welcome.apiUrl, welcome.email, welcome.password, welcome.token])
      expect(shown).toContain(part)
    expect(rows.length).toBeLessThan(36)
  })

  it('says what to ask, and where every other client is told', () => {
    expect(text).toContain('Which networks are in Lithuania and what does an SMS cost?')
    expect(text).toContain('http://localhost:4000/connect\n')
  })

  it('has one line each for Claude Code, with and without the token', () => {
    expect(text).toContain('\nclaude mcp add --transport http vertexsms http://localhost:4001/mcp\n')
    expect(text).toContain('http://localhost:4001/mcp --header "Authorization: Bearer vsms_token"\n')
  })

  it('gives each of them a name of its own, so that both can be pasted one after the other', () => {
    const names = [...text.matchAll(/^claude mcp add --transport http (\S+) /gm)].map(([, name]) => name)
    expect(names).toHaveLength(2)
    expect(new Set(names).size).toBe(2)
  })

  it('has blocks that are JSON as Cursor, VS Code and Claude Desktop read it', () => {
    const blocks = [...text.matchAll(/^\{.*\}$/gm)].map(([block]) => JSON.parse(block))
    const url = welcome.mcpUrl
    expect(blocks).toEqual([
      { mcpServers: { vertexsms: { url } } },
      { servers: { vertexsms: { type: 'http', url } } },
      { mcpServers: { vertexsms: { command: 'npx', args: ['-y', 'mcp-remote', url] } } },
    ])
  })
})

describe('the secrets of an installation', () => {
  it('are made once, for their owner alone, and stay the same', () => {
    const first = keepSecrets(folder)
    expect(keepSecrets(folder)).toEqual(first)
    expect(Buffer.from(first.operatorKey, 'base64url')).toHaveLength(32)
    expect(statSync(join(folder, 'secrets.json')).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['secrets.json'])
  })

  it('are forgotten without touching what is not ours', () => {
    const first = keepSecrets(folder)
    writeFileSync(join(folder, 'notes.txt'), 'mine')
    forget(folder)
    expect(existsSync(join(folder, 'notes.txt'))).toBe(true)
    expect(keepSecrets(folder)).not.toEqual(first)
  })

  it('go only to the apps that need them', () => {
    const shared = {
      databaseUrl: 'postgresql://u:database-secret@h/d',
      operatorKey: 'operator-secret'.padEnd(43, 'A'),
      edgeSecret: 'edge-secret',
      internalPort: 1,
    }
    const told = Object.fromEntries(
      describeApps(readSettings(), shared).map(({ name, env }) => [name, JSON.stringify(childEnvironment(env))]),
    )
    expect(told.mcp).toContain('edge-secret')
    expect(told.mcp).not.toMatch(/database-secret|operator-secret/)
    expect(told.auth).not.toContain('edge-secret')
    expect(told.api).toMatch(/database-secret/)
  })
})

describe('the demo with a real account', () => {
  const TOKEN = 'canary-of-the-demo-0001'
  const real = { VERTEXSMS_TOKEN: TOKEN }

  it('says before anything starts that real SMS are paid, within which limit, and what is off without an address', () => {
    const notes = realAccountNotes(readSettings(real), {}).join('\n')
    for (const part of ['REAL SMS', 'https://api.vertexsms.com', '1.00 EUR a day', 'REPORT_ADDRESS', '(HLR) are off'])
      expect(notes).toContain(part)
    expect(notes).not.toContain(TOKEN)
    const reachable = realAccountNotes(readSettings(real), { REPORT_ADDRESS: 'https://api.example.com' }).join('\n')
    expect(reachable).toContain('VERTEXSMS_HLR_PRICE_EUR')
    const priced = readSettings({ ...real, VERTEXSMS_HLR_PRICE_EUR: '0.0035' })
    expect(realAccountNotes(priced, { REPORT_ADDRESS: 'https://api.example.com' }).join('\n')).not.toContain('HLR')
    expect(realAccountNotes(readSettings({ UPSTREAM: 'vertexsms' }), {})[0]).toContain('REAL SMS')
    expect(realAccountNotes(readSettings({}), {})).toEqual([])
  })

  it('tells no service the token, and every service that needs it where messages go', () => {
    const before = process.env.VERTEXSMS_TOKEN
    process.env.VERTEXSMS_TOKEN = TOKEN
    try {
      const shared = { databaseUrl: 'd', operatorKey: 'A'.repeat(43), edgeSecret: 'e', internalPort: 1 }
      const told = describeApps(readSettings(), shared).map(({ name, env }) => ({ name, env: childEnvironment(env) }))
      expect(JSON.stringify(told)).not.toContain(TOKEN)
      for (const name of ['auth', 'api']) expect(told.find((one) => one.name === name)?.env.UPSTREAM).toBe('vertexsms')
    } finally {
      if (before === undefined) delete process.env.VERTEXSMS_TOKEN
      else process.env.VERTEXSMS_TOKEN = before
    }
  })

  it.each<[string, Record<string, string>]>([
    ['VERTEXSMS_TOKEN', { VERTEXSMS_TOKEN: 'with spaces in it' }],
    ['VERTEXSMS_TOKEN', { ...real, UPSTREAM: 'sandbox' }],
    ['VERTEXSMS_TOKEN', { VERTEXSMS_TOKEN: 'vsms_of_this_site_and_not_of_vertexsms' }],
    ['VERTEXSMS_HLR_PRICE_EUR', { ...real, VERTEXSMS_HLR_PRICE_EUR: '-1' }],
    ['VERTEXSMS_HLR_PRICE_EUR', { ...real, VERTEXSMS_HLR_PRICE_EUR: '100.01' }],
    ['UPSTREAM', { UPSTREAM: 'real' }],
  ])('does not start with a wrong %s, and does not repeat it', (name, source) => {
    const read = () => readSettings(source)
    expect(read).toThrow(name)
    expect(read).not.toThrow(source.VERTEXSMS_TOKEN ?? '"')
  })
})

describe('the log of the services', () => {
  const line = (level: string) => `{"level":"${level}","service":"api","requestId":"r-1","msg":"request failed"}`

  it('is for its owner alone, and only warnings and errors of this start are said, in plain words', () => {
    const file = join(folder, 'demo.log')
    writeFileSync(file, `${line('error')}\n`)
    const said: string[] = []
    const log = openLog(file, (text) => said.push(text))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    appendFileSync(file, `${line('info')}\n${line('warn')}\n${line('error')}\n`)
    log.close()
    expect(said).toEqual(['warning of api: request failed', 'error of api: request failed'])
  })

  it('shows each answered request where that is asked for, and nothing else of it', () => {
    const file = join(folder, 'demo.log')
    const said: string[] = []
    const log = openLog(file, (text) => said.push(text), { verbose: true })
    const request = { level: 'info', service: 'mcp', requestId: 'r-1', method: 'POST', route: '/mcp', status: 200 }
    appendFileSync(
      file,
      `${JSON.stringify({ ...request, durationMs: 12, msg: 'request' })}\n${line('info')}\nnot JSON\n`,
    )
    log.close()
    expect(said).toEqual(['mcp: POST /mcp 200 in 12 ms'])
  })

  it.each(['', 'canary', '{"level":"error"', line('info'), '{"level":"debug","msg":"x"}'])(
    'is silent about %j',
    (text) => {
      expect(troubleOf(text)).toBeUndefined()
    },
  )
})

describe("what the operator's commands need", () => {
  const environment = {
    DATABASE_URL: 'postgresql://h/d',
    ISSUER_URL: 'http://localhost:4000',
    OPERATOR_KEY: 'k',
    API_INTERNAL_URL: 'http://127.0.0.1:1',
  }
  const script = fileURLToPath(new URL('../operator.ts', import.meta.url))
  const operator = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', script, ...args], {
      env: { ...process.env, DATA_DIR: folder },
      encoding: 'utf8',
    })

  it('is kept for the owner alone while the demo runs, and forgotten after', () => {
    const forgetAgain = keepOperatorEnvironment(folder, environment)
    expect(statSync(join(folder, 'operator.json')).mode & 0o777).toBe(0o600)
    expect(readOperatorEnvironment(folder)).toEqual(environment)
    forgetAgain()
    expect(readOperatorEnvironment(folder)).toBeUndefined()
  })

  it('lets them start on every Node that is supported', () => {
    keepOperatorEnvironment(folder, environment)
    const { status, stdout, stderr } = operator('--help')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('settle-unknown ID')
  })

  it('is missed in one sentence where no demo runs', () => {
    const { status, stderr } = operator('accounts')
    expect(status).toBe(1)
    expect(stderr).toMatch(/^No demo is running on .* with the same DATA_DIR\.\n$/)
  })

  it.each([
    ['no word', []],
    ['--help', ['--help']],
    ['help', ['help', 'limits']],
    ['a command with -h', ['limits', '-h']],
  ])('is not needed to read what there is: %s', (_words, args) => {
    const { status, stdout, stderr } = operator(...args)
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('limits WHO')
  })
})

describe('the check of Node', () => {
  const check = fileURLToPath(new URL('../check-node.cjs', import.meta.url))
  const under = (version: string) => {
    const preload = join(folder, 'version.cjs')
    writeFileSync(preload, `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`)
    return spawnSync(process.execPath, ['-r', preload, check], { encoding: 'utf8' })
  }

  it.each(['0.12.18', '18.20.8', '20.19.6'])('refuses %s in one sentence', (version) => {
    const { status, stderr, stdout } = under(version)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `VertexSMS Connect needs Node 20.20 or newer; this is ${version}. Get one from https://nodejs.org.\n`,
    )
  })

  it.each(['20.20.0', '22.0.0', '24.11.1', '100.0.0'])('takes %s', (version) => {
    expect(under(version)).toMatchObject({ status: 0, stderr: '', stdout: '' })
  })

  it('comes first in every command that starts the product or its tests', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    for (const name of ['start', 'demo', 'dev', 'operator', 'probe', 'test', 'test:all', 'screens'])
      expect(scripts[name]).toMatch(/^node scripts\/check-node\.cjs && /)
  })
})

describe('the ports', () => {
  it('are waited for while another program ends', async () => {
    const { port, free } = await takenPort()
    const said: string[] = []
    const say = (text: string) => {
      said.push(text)
      free()
    }
    await waitForPorts({ AUTH_PORT: port }, { host: '127.0.0.1', waitMs: 60_000, say })
    expect(said).toEqual([`waiting for port ${port} (AUTH_PORT) to become free`])
  })
})

describe('the demo command', () => {
  function demo(args: string[], env: Record<string, string>) {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('../demo.ts', import.meta.url)), ...args],
      {
        env: { ...process.env, DATA_DIR: folder, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said += text
      })
    }
    return once(child, 'close').then(([code]) => ({ code, said }))
  }

  it('says which port is taken and by which variable it is changed, and gives its folder back', async () => {
    const { port, free } = await takenPort()
    const [auth, api] = [await takenPort(), await takenPort()]
    auth.free()
    api.free()
    await layEmbedded(folder)
    const { code, said } = await demo([], {
      MCP_PORT: String(port),
      AUTH_PORT: String(auth.port),
      API_PORT: String(api.port),
      DEMO_PORT_WAIT_MS: '250',
    })
    free()
    expect(code).toBe(1)
    expect(said).toContain(`port ${port} is taken by another program; stop it or choose another port with MCP_PORT=...`)
    expect(existsSync(join(folder, 'lock'))).toBe(false)
  })

  it('refuses a folder that another process uses', async () => {
    const unlock = lockFolder(folder)
    const { code, said } = await demo([], {})
    unlock()
    expect(code).toBe(1)
    expect(said).toContain(`is in use by process ${process.pid}`)
    expect(said).toContain('a second one beside it wants DATA_DIR')
  })

  it('names every wrong setting of every service in one list, each once, before it starts anything', async () => {
    const { code, said } = await demo([], {
      AUTH_PORT: 'canary',
      TRUST_PROXY: '10',
      REFRESH_OVERLAP_SECONDS: '315360000',
      SANDBOX_POLL_MS: '0',
      ALLOWED_HOSTS: 'https://canary',
      ISSUER_URL: 'http://localhost:4000/canary',
    })
    expect(code).toBe(1)
    expect(said.split('\n')).toEqual([
      'demo: cannot start: wrong configuration:',
      '  AUTH_PORT: must be a whole number from 0 to 65535',
      expect.stringMatching(/^ {2}TRUST_PROXY: must be off, a number of proxies/),
      expect.stringMatching(/^ {2}ISSUER_URL: must not have a path$/),
      expect.stringMatching(/^ {2}REFRESH_OVERLAP_SECONDS: must be a whole number of seconds from 0 to 300$/),
      expect.stringMatching(/^ {2}ALLOWED_HOSTS: must be host names/),
      expect.stringMatching(/^ {2}SANDBOX_POLL_MS: must be a whole number of milliseconds from 10 /),
      '.env.example lists every setting',
      '',
    ])
  })

  it('refuses one port for two services', async () => {
    const { code, said } = await demo([], { AUTH_PORT: '4001' })
    expect([code, said]).toEqual([1, expect.stringContaining('AUTH_PORT, MCP_PORT, API_PORT: each must be a port')])
  })

  it('tells its options and how to choose other ports, and starts nothing', async () => {
    const { code, said } = await demo(['--help'], {})
    expect([code, said]).toEqual([
      0,
      expect.stringMatching(/--fresh[\s\S]*--verbose[\s\S]*AUTH_PORT, MCP_PORT and API_PORT/),
    ])
    expect(said).not.toContain('starting')
  })

  it('names an unknown option', async () => {
    expect(await demo(['--frseh'], {})).toMatchObject({
      code: 1,
      said: expect.stringContaining('unknown option --frseh'),
    })
  })
})
