import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { layEmbedded } from '@vertexsms/db/testing'
import { programOf } from '../../scripts/demo/program.ts'
import { SHORT_LIVED_FLAGS } from '../../scripts/short-lived.ts'
import { freePorts } from './free-ports.ts'
import { descendantsOf, isRunning, type RunningProcess } from './processes.ts'
import { rememberSecret } from './secrets.ts'
import { waitUntil } from './wait-until.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const SHIFT_DATE = pathToFileURL(join(ROOT, 'e2e/support/shift-date.mjs')).href
const LAUNCHER = 'scripts/demo.ts'
const START_MS = 150_000
const END_MS = 10_000

/** The three apps of the product, as their folders are called. */
export type AppName = 'auth' | 'mcp' | 'api'

/** Where the product listens. */
export interface StackPorts {
  readonly auth: number
  readonly mcp: number
  readonly api: number
}

/** How to start the product; everything has a default. */
export interface StackOptions {
  /** Added to the environment of the launcher and of all apps. */
  readonly env?: Readonly<Record<string, string>>
  /** The folder of the data; a new temporary one by default, whose tables are there already. */
  readonly dataDir?: string
  /** The new folder is empty, as a person's is at the first start. */
  readonly fromNothing?: boolean
  readonly ports?: StackPorts
}

/** What a test needs to know of a running product; plain data, so that it crosses to the workers. */
export interface StackFacts {
  readonly pid: number
  readonly ports: StackPorts
  readonly issuer: string
  readonly mcpUrl: string
  readonly apiUrl: string
  readonly email: string
  readonly password: string
  /** The BYO token of the welcome block. */
  readonly token: string
  readonly dataDir: string
  /** Standard output and error of the launcher, over all starts on the same folder; the apps' lines stand beside it. */
  readonly logFile: string
  /** The file that moves the clock of every process; see {@link shiftClock}. */
  readonly shiftFile: string
}

/** A running product that the caller owns. */
export interface Stack extends StackFacts {
  /** Ends it in good order and resolves with the launcher's exit code. */
  stop(): Promise<number | null>
  /** Kills the launcher with SIGKILL, waits until nothing of it runs any more, and resolves with what had to end by itself. */
  crash(): Promise<RunningProcess[]>
  /** Removes the data folder; within a test run the logs stay for the canary test. */
  clean(): Promise<void>
}

/** Moves the clock of every process of a running product to `seconds` after the real time. */
export function shiftClock(stack: StackFacts, seconds: number): void {
  writeFileSync(stack.shiftFile, String(seconds * 1000))
}

/** The process of one app of a running product; undefined while it is down. */
export function appProcess(stack: StackFacts, app: AppName): RunningProcess | undefined {
  return descendantsOf(stack.pid).find(({ command }) => command.includes(`apps/${app}/src/server.`))
}

/** True when an app answers that it can serve. */
export async function isReady(stack: Pick<StackFacts, 'ports'>, app: AppName): Promise<boolean> {
  return fetch(`http://localhost:${stack.ports[app]}/readyz`).then(
    (response) => response.ok,
    () => false,
  )
}

/** Starts the product by the script of its one command and resolves when all three apps can serve. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'vertexsms-e2e-'))
  if (options.dataDir === undefined && !options.fromNothing) await layEmbedded(dataDir)
  const ports = options.ports ?? (await choosePorts())
  const logFile = join(process.env.E2E_RUN_DIR ?? tmpdir(), `${basename(dataDir)}.log`)
  const appsLogFile = logFile.replace(/log$/, 'apps.log')
  const shiftFile = `${dataDir}.clock`
  mkdirSync(dirname(logFile), { recursive: true })
  writeFileSync(shiftFile, '0')
  const logStart = lengthOf(logFile)
  const child = launch(
    {
      ...options.env,
      DATE_SHIFT_FILE: shiftFile,
      DATA_DIR: dataDir,
      DEMO_LOG_FILE: appsLogFile,
    },
    ports,
    logFile,
  )
  const { pid } = child
  if (pid === undefined) throw new Error('The launcher did not start.')
  const output = () => readFileSync(logFile, 'utf8').slice(logStart)

  const welcome = await waitUntil('the demo to be ready', START_MS, async () => {
    if (child.exitCode !== null) throw new Error(`The demo ended with ${child.exitCode}.`)
    const found = readWelcome(output())
    if (found === undefined) return undefined
    const ready = await Promise.all((['auth', 'mcp', 'api'] as const).map((app) => isReady({ ports }, app)))
    return ready.every(Boolean) ? found : undefined
  }).catch((error: unknown) => {
    endGroup(child)
    throw new Error(`The demo did not start. It printed:\n${output()}`, { cause: error })
  })
  rememberSecret('password', welcome.password)
  rememberSecret('token', welcome.token)
  rememberSecret('email', welcome.email)

  const facts: StackFacts = {
    ...welcome,
    pid,
    ports,
    issuer: `http://localhost:${ports.auth}`,
    mcpUrl: `http://localhost:${ports.mcp}/mcp`,
    apiUrl: `http://localhost:${ports.api}`,
    dataDir,
    logFile,
    shiftFile,
  }
  return {
    ...facts,
    stop: () => stop(child),
    crash: () => crash(child),
    clean: async () => {
      const logs = process.env.E2E_RUN_DIR === undefined ? [logFile, appsLogFile] : []
      for (const path of [dataDir, shiftFile, ...logs]) await rm(path, { recursive: true, force: true })
    },
  }
}

async function choosePorts(): Promise<StackPorts> {
  const [auth = 0, mcp = 0, api = 0] = await freePorts(3)
  return { auth, mcp, api }
}

function launch(env: Record<string, string>, ports: StackPorts, logFile: string): ChildProcess {
  const log = openSync(logFile, 'a')
  const programsDir = process.env.TEST_PROGRAMS_DIR
  const child = spawn(process.execPath, [...SHORT_LIVED_FLAGS, ...programOf(LAUNCHER, programsDir)], {
    cwd: ROOT,
    // A group of its own, so that a test run that is interrupted leaves nothing behind.
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      RATE_LIMITS: 'off',
      DEMO_RESTART_DELAY_MS: '100',
      ...(programsDir !== undefined && { DEMO_PROGRAMS_DIR: programsDir }),
      SANDBOX_HLR_MS: '200',
      SANDBOX_DELIVERY_MS: '200',
      // Jobs are woken for what a test brings about; looking every second cost a tenth of a processor a product.
      SANDBOX_POLL_MS: '5000',
      // Nothing waits so long for the database but on a machine that is out of breath.
      DATABASE_CONNECT_TIMEOUT_MS: '30000',
      DATABASE_STATEMENT_TIMEOUT_MS: '30000',
      DATABASE_LOCK_TIMEOUT_MS: '30000',
      AUTH_PORT: String(ports.auth),
      MCP_PORT: String(ports.mcp),
      API_PORT: String(ports.api),
      NODE_OPTIONS: `--import ${SHIFT_DATE}`,
      // Every start of a run but the first reads what V8 made of the programs (Node 22 and above).
      ...(process.env.E2E_RUN_DIR !== undefined && {
        NODE_COMPILE_CACHE: join(process.env.E2E_RUN_DIR, 'compile-cache'),
      }),
      ...env,
    },
  })
  closeSync(log)
  const atExit = () => endGroup(child)
  process.once('exit', atExit)
  child.once('exit', () => process.removeListener('exit', atExit))
  return child
}

/** The lines that the demo promises to print, each on a line of its own. */
function readWelcome(output: string): { email: string; password: string; token: string } | undefined {
  const line = (name: string) => new RegExp(`^\\s*${name}:\\s*(\\S+)\\s*$`, 'im').exec(output)?.[1]
  const email = /\S+@vertexsms\.test/.exec(output)?.[0]
  const password = line('password')
  const token = line('token')
  return email && password && token ? { email, password, token } : undefined
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  child.kill('SIGTERM')
  const late = setTimeout(() => endGroup(child), END_MS)
  const code = await ended
  clearTimeout(late)
  return code
}

async function crash(child: ChildProcess): Promise<RunningProcess[]> {
  const below = child.pid === undefined ? [] : descendantsOf(child.pid)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  await waitUntil('the apps to end after their launcher was killed', END_MS, () =>
    below.some(({ pid }) => isRunning(pid)) ? undefined : true,
  ).catch((error: unknown) => {
    endGroup(child)
    throw error
  })
  return below
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nothing of the group is left.
  }
}

function lengthOf(file: string): number {
  try {
    return readFileSync(file, 'utf8').length
  } catch {
    return 0
  }
}
