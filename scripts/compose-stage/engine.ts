// The Docker engine and compose as this stage uses them: by their command lines, which every version has.

import { execFile, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** `docker compose` or `docker-compose`, as ./run found it. */
export const COMPOSE = (process.env.COMPOSE ?? 'docker compose').split(' ')

/** The compose project all of this stage's containers belong to. */
export const PROJECT = process.env.COMPOSE_PROJECT_NAME ?? 'vsms-stage'

/** The services that stay up. */
export const APPS = ['auth', 'api', 'mcp'] as const
export type App = (typeof APPS)[number]

const HEALTH_POLL_MS = 500

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** Runs a command to its end. Does not reject for a status other than 0. */
export function run(
  command: readonly string[],
  options: { env?: Record<string, string>; input?: string } = {},
): Promise<Ran> {
  const [program = '', ...args] = command
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { maxBuffer: 64 << 20, env: { ...process.env, ...options.env } },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0
        resolve({ code, stdout, stderr })
      },
    )
    // A program may have ended before it is given its input.
    child.stdin?.on('error', () => {}).end(options.input ?? '')
  })
}

/** Standard output of a command that must succeed. */
export async function output(
  command: readonly string[],
  options: { env?: Record<string, string>; input?: string } = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, options)
  if (code !== 0)
    throw new Error(
      `${command.join(' ')} ended with ${code}: ${(stderr || stdout).trim().split('\n').slice(-12).join('\n')}`,
    )
  return stdout.trim()
}

export const docker = (...args: string[]) => output(['docker', ...args])

export function compose(...args: string[]): Promise<string> {
  containers = undefined
  return output([...COMPOSE, ...args])
}

/** Starts `compose` attached, as a person in a terminal does. */
export function composeAttached(...args: string[]) {
  containers = undefined
  const [program = '', ...prefix] = COMPOSE
  return spawn(program, [...prefix, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

// What there is, until compose may have made others: each question costs a process.
let containers: Promise<Map<string, string[]>> | undefined

/** The container of a service; throws where there is none. */
export async function containerOf(service: string): Promise<string> {
  containers ??= listContainers()
  const [id, ...others] = (await containers).get(service) ?? []
  if (id !== undefined && others.length === 0) return id
  containers = undefined
  throw new Error(`service ${service} has no container, or several`)
}

/** The ids of the project's containers, by service. */
async function listContainers(): Promise<Map<string, string[]>> {
  const filters = [`com.docker.compose.project=${PROJECT}`, 'com.docker.compose.oneoff=False']
  const listed = await docker(
    'ps',
    '-a',
    '--format',
    '{{.Label "com.docker.compose.service"}} {{.ID}}',
    ...filters.flatMap((label) => ['--filter', `label=${label}`]),
  )
  const found = new Map<string, string[]>()
  for (const [service = '', id = ''] of listed.split('\n').map((line) => line.split(' '))) {
    found.set(service, [...(found.get(service) ?? []), id])
  }
  return found
}

/** What `docker inspect` says of a container. */
export interface Inspected {
  Image: string
  RestartCount: number
  State: { Status: string; ExitCode: number; StartedAt: string; Health?: { Status: string } }
  Config: { User: string; Env: string[]; StopSignal?: string; Healthcheck?: { Test: string[] } }
  HostConfig: {
    ReadonlyRootfs: boolean
    CapDrop: string[] | null
    SecurityOpt: string[] | null
    Privileged: boolean
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]> | null
  }
  NetworkSettings: { Networks: Record<string, { IPAddress: string }> }
}

export async function inspect(service: string): Promise<Inspected> {
  const [found] = JSON.parse(await docker('inspect', await containerOf(service))) as Inspected[]
  if (!found) throw new Error(`${service} cannot be inspected`)
  return found
}

/** Everything a service has printed, with what it printed before a restart. */
export async function logsOf(service: string): Promise<string> {
  const { stdout, stderr } = await run(['docker', 'logs', await containerOf(service)])
  return stdout + stderr
}

/** Asks every `pollMs` until `probe` says yes; returns how long that took, in milliseconds. */
export async function waitFor(
  what: string,
  timeoutMs: number,
  probe: () => Promise<boolean>,
  pollMs = 100,
): Promise<number> {
  const started = performance.now()
  while (performance.now() - started < timeoutMs) {
    if (await probe()) return performance.now() - started
    await sleep(pollMs)
  }
  throw new Error(`${what}: not within ${timeoutMs / 1000} s`)
}

/** Waits until Docker itself calls the services healthy. */
export async function waitHealthy(services: readonly string[], timeoutMs = 180_000): Promise<void> {
  const ids = await Promise.all(services.map(containerOf))
  const told = '{{if .State.Health}}{{.State.Health.Status}}{{end}}'
  await waitFor(
    `${services.join(', ')} to be healthy`,
    timeoutMs,
    async () => (await docker('inspect', '--format', told, ...ids)).split('\n').every((status) => status === 'healthy'),
    // Docker itself looks every few seconds.
    HEALTH_POLL_MS,
  )
}

/** The status of a GET request; 0 where nothing answers. */
export function statusOf(url: string): Promise<number> {
  return fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
    async (response) => {
      await response.body?.cancel()
      return response.status
    },
    () => 0,
  )
}
