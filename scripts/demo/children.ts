import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type AppDescription, childEnvironment } from './apps.ts'
import { programBelow } from './program.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Long, for a busy machine: an app that dies ends the start at once anyway. */
const READY_WITHIN_MS = 180_000
const READY_POLL_MS = 100
/** An app ends by itself within its time; what is left a moment later is killed. */
const KILL_SLACK_MS = 1_500

export interface ChildrenOptions {
  say: (text: string) => void
  restartDelayMs: number
  /** Where the apps' standard output goes: a descriptor that is appended to. */
  log: number
  /** See {@link programBelow}. */
  programsDir: string | undefined
}

/** The running apps. One that dies is started again, the others stay up; before all were ready once it ends the start. */
export class Children {
  private readonly running = new Map<string, ChildProcess>()
  private readonly stopWithinMs = new Map<string, number>()
  private readonly options: ChildrenOptions
  private started = false
  private stopping = false
  private failStart: (error: Error) => void = () => {}
  private readonly startFailed: Promise<never>

  constructor(options: ChildrenOptions) {
    this.options = options
    this.startFailed = new Promise((_resolve, reject) => {
      this.failStart = reject
    })
    this.startFailed.catch(() => {})
  }

  /** Starts all and resolves when each answers /readyz with 200. Rejects when one ends before that. */
  async start(apps: AppDescription[]): Promise<void> {
    for (const app of apps) this.spawn(app)
    await Promise.race([Promise.all(apps.map(untilReady)), this.startFailed])
    this.started = true
  }

  /** Starts one again at once, because its source changed. */
  async restart(app: AppDescription): Promise<void> {
    const child = this.running.get(app.name)
    this.running.delete(app.name)
    if (child) await end(child, app.stopWithinMs)
    if (!this.stopping && !this.running.has(app.name)) this.spawn(app)
  }

  /** Ends all in good order. */
  async stop(): Promise<void> {
    this.stopping = true
    await Promise.all([...this.running].map(([name, child]) => end(child, this.stopWithinMs.get(name) ?? 0)))
  }

  private spawn(app: AppDescription): void {
    const child = spawn(process.execPath, programBelow(`apps/${app.name}/src/server.ts`, this.options.programsDir), {
      cwd: ROOT,
      env: childEnvironment(app.env) as NodeJS.ProcessEnv,
      // The channel carries nothing: its end tells the app that the launcher is gone, however that died.
      stdio: ['ignore', this.options.log, 'pipe', 'ipc'],
    })
    passOn(child)
    this.running.set(app.name, child)
    this.stopWithinMs.set(app.name, app.stopWithinMs)
    child.once('exit', (code, signal) => void this.onExit(app, child, signal ?? `status ${code}`))
  }

  private async onExit(app: AppDescription, child: ChildProcess, how: string): Promise<void> {
    if (this.stopping || this.running.get(app.name) !== child) return
    this.running.delete(app.name)
    if (!this.started) {
      this.failStart(new Error(`${app.name} ended (${how}) before it was ready`))
      return
    }
    const { restartDelayMs, say } = this.options
    say(`${app.name} ended (${how}); starting it again in ${restartDelayMs / 1000} s`)
    await pause(restartDelayMs, undefined, { ref: false })
    if (!this.stopping && !this.running.has(app.name)) this.spawn(app)
  }
}

/** Runs Node to its end, with `input` where its standard input is a pipe; resolves with its status. */
export async function runToEnd(
  args: string[],
  env: Record<string, string>,
  stdio: StdioOptions,
  input?: string,
): Promise<number> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: childEnvironment(env) as NodeJS.ProcessEnv,
    stdio,
  })
  // One that ends before it has read everything says why by its status.
  child.stdin?.on('error', () => {}).end(input)
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
}

/** A library's word about a Node that this repository tests and supports. */
const NOT_OURS = /^oidc-provider WARNING: Unsupported runtime/

/** Lets a person read what an app says to standard error, line by line. */
function passOn(child: ChildProcess): void {
  if (child.stderr === null) return
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!NOT_OURS.test(line)) console.error(line)
  })
}

function end(child: ChildProcess, stopWithinMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const late = setTimeout(() => child.kill('SIGKILL'), stopWithinMs + KILL_SLACK_MS)
    child.once('exit', () => {
      clearTimeout(late)
      resolve()
    })
    // Not a signal: on Ctrl-C the terminal has sent one already.
    if (child.connected) child.disconnect()
  })
}

async function untilReady({ name, port }: AppDescription): Promise<void> {
  const begun = performance.now()
  while (performance.now() - begun < READY_WITHIN_MS) {
    const ready = await fetch(`http://localhost:${port}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await pause(READY_POLL_MS)
  }
  throw new Error(`${name} was not ready after ${READY_WITHIN_MS / 1000} s`)
}
