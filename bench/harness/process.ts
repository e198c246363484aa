import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

/** The root of the repository; every process is started there, as an operator would. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** One process under measurement, or one that measures. */
export interface Started {
  readonly pid: number
  readonly port: number
  readonly child: ChildProcess
  /** What the process wrote to standard error, the last 4000 characters. */
  stderr(): string
  stop(): Promise<void>
}

/** How to start one process. */
export interface StartOptions {
  /** Path of the module, from the root of the repository or absolute. */
  readonly script: string
  /** True for a script that Node runs as it is, without the loader for TypeScript. */
  readonly plain?: boolean
  readonly env: Readonly<Record<string, string>>
  /** The core the process and all its threads are bound to; unbound when absent. */
  readonly core?: number
  /** The Node binary; this process's own when absent. */
  readonly node?: string
  readonly nodeArguments?: readonly string[]
  /** Modules loaded beside the script, paths from the root. */
  readonly preload?: readonly string[]
  /** Opens an IPC channel, over which a module loaded beside the server's own can be asked. */
  readonly ipc?: boolean
  /** Receives everything the process writes. */
  readonly onOutput?: (text: string) => void
  /** The port, where the process does not print `listening <port>` itself: then `/healthz` is asked until it answers. */
  readonly port?: number
}

/** Words before a command that bind it to a core (taskset(1)). */
export function boundTo(core: number): string[] {
  return ['taskset', '-c', String(core)]
}

/**
 * Puts a process that leads a session of its own before all others of the machine (sched(7), autogroup), so that a
 * machine which others use at the same time disturbs less. Root alone may; for everybody else nothing happens.
 */
export function putAhead(pid: number | undefined): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '-20')
  } catch {}
}

const children = new Set<ChildProcess>()

// Whatever ends this process, what it started ends too.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/** Starts the script, as TypeScript through tsx unless it is plain, and resolves when it serves. Throws when it ends before that. */
export async function start(options: StartOptions): Promise<Started> {
  const node = [
    options.node ?? process.execPath,
    ...(options.nodeArguments ?? []),
    ...(options.plain ? [] : ['--import', 'tsx']),
    ...(options.preload ?? []).flatMap((path) => ['--import', path]),
    options.script,
  ]
  const [file = '', ...rest] = options.core === undefined ? node : [...boundTo(options.core), ...node]
  const child = spawn(file, rest, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...options.env },
    detached: options.core !== undefined,
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
  })
  if (options.core !== undefined) putAhead(child.pid)
  children.add(child)
  child.once('exit', () => children.delete(child))
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-4000)
    options.onOutput?.(String(chunk))
  })
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${options.script} ended with ${code}: ${stderr}`)))
  })
  ended.catch(() => {})
  const port = await Promise.race([options.port === undefined ? printedPort(child) : healthy(options.port), ended])
  if (options.onOutput) child.stdout?.on('data', (chunk) => options.onOutput?.(String(chunk)))
  else child.stdout?.resume()
  return {
    pid: child.pid ?? 0,
    port,
    child,
    stderr: () => stderr,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        child.once('exit', () => resolve())
        child.kill('SIGTERM')
        setTimeout(() => child.kill('SIGKILL'), 5000).unref()
      }),
  }
}

function printedPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
      const match = /listening (\d+)/.exec(text)
      if (match) resolve(Number(match[1]))
    })
  })
}

async function healthy(port: number): Promise<number> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { connection: 'close' } }).catch(
      () => undefined,
    )
    if (answer?.ok) return port
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

/** Processor seconds the process has used, all its threads that live, user and system, to the nanosecond (proc(5), `schedstat`). Linux only. */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number.parseInt(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1'), 10)
  }
  return nanoseconds / 1e9
}

/** Resident bytes of the process now (proc(5), `VmRSS`). Linux only. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return Number(match?.[1]) * 1024
}
