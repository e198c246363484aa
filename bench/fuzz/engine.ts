import { existsSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { startIssuer } from '../harness/issuer.ts'
import { startOurs } from '../harness/ours.ts'
import { type Started, start } from '../harness/process.ts'
import { caseOf } from './cases.ts'
import { judge } from './judge.ts'
import { Wire } from './wire.ts'

/** What to run. */
export interface FuzzPlan {
  readonly seed: number
  /** The first case and how many. */
  readonly from: number
  readonly count: number
  readonly connections: number
  /** Connections that send half a request and then nothing: the server must end each by itself. 0 leaves them out. */
  readonly stalled: number
  readonly onProgress?: (line: string) => void
}

/** Memory of the server after a forced collection. */
export interface MemorySample {
  /** Cases done by then. */
  readonly at: number
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

/** What a run found. */
export interface FuzzReport {
  /** Answers by kind of case and status; `closed` and `abandoned` count as statuses of their own. */
  readonly statuses: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** The number of the case and what was wrong. */
  readonly failures: readonly string[]
  readonly memory: readonly MemorySample[]
  /** Log lines of level error or above. */
  readonly errorLines: readonly string[]
  /** True when the token stands in what the server wrote to its output. */
  readonly tokenInOutput: boolean
  /** Connections the server still holds after the run, when the clients have gone. */
  readonly connectionsLeft: number
  /** Stalled connections that the server had not ended by the end of the wait. */
  readonly stalledLeft: number
  readonly seconds: number
}

const CASE_TIMEOUT_MS = 15_000
/** The server's own limit for a request to arrive (15 s) is looked at every 30 s. */
const STALL_WAIT_MS = 60_000
const SAMPLES = 20

function askMemory(server: Started): Promise<Omit<MemorySample, 'at'>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server tells no memory')), 20_000)
    server.child.once('message', (answer) => {
      clearTimeout(timer)
      resolve(answer as Omit<MemorySample, 'at'>)
    })
    server.child.send('memory')
  })
}

/** Established connections to a local port, as the kernel counts them (proc(5), `net/tcp`); 0 where there is no such file. */
function connectionsTo(port: number): number {
  if (!existsSync('/proc/net/tcp')) return 0
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)
  return lines.filter((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/)
    return local.endsWith(hex) && state === '01'
  }).length
}

function stall(port: number, token: string): Socket {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  const head = `POST /mcp HTTP/1.1\r\nhost: localhost:4001\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\n`
  socket.write(Math.random() < 0.5 ? head : `${head}content-length: 100\r\n\r\n{"jsonrpc"`)
  socket.resume()
  return socket
}

/** Starts the MCP server and an upstream, sends the cases of the plan, and tells what came back. */
export async function runFuzz(plan: FuzzPlan): Promise<FuzzReport> {
  const startedAt = Date.now()
  const issuer = await startIssuer()
  const token = await issuer.mint(24 * 3600)
  const upstream = await start({ script: 'bench/harness/upstream.ts', env: { ONLY_TOKEN: token } })
  const secret = token.split('.')[2] ?? ''
  const errorLines: string[] = []
  let tokenInOutput = false
  const server = await startOurs(issuer, `http://127.0.0.1:${upstream.port}`, {
    nodeArguments: ['--expose-gc'],
    preload: ['./bench/fuzz/probe.ts'],
    ipc: true,
    env: { LOG_LEVEL: 'info' },
    onOutput: (text) => {
      if (text.includes(secret)) tokenInOutput = true
      for (const line of text.split('\n')) {
        if (/"level":"(?:error|fatal)"|^\S*Error\b|Unhandled/.test(line) && errorLines.length < 50)
          errorLines.push(line.slice(0, 500))
      }
    },
  })
  const statuses = new Map<string, Map<string, number>>()
  const failures: string[] = []
  const memory: MemorySample[] = []
  const stalled = Array.from({ length: plan.stalled }, () => stall(server.port, token))
  const stalledAt = Date.now()

  const count = (kind: string, status: string): void => {
    const ofKind = statuses.get(kind) ?? new Map<string, number>()
    statuses.set(kind, ofKind.set(status, (ofKind.get(status) ?? 0) + 1))
  }
  const runCase = async (index: number, wire: Wire): Promise<void> => {
    const fuzzCase = caseOf(plan.seed, index, token)
    const outcome = await wire.exchange(fuzzCase.pieces, fuzzCase.answers, fuzzCase.toHead ?? false, CASE_TIMEOUT_MS)
    if (fuzzCase.closes) wire.close()
    for (const { status } of outcome.answers) count(fuzzCase.kind, String(status))
    if (outcome.end !== 'answered' && outcome.answers.length === 0) count(fuzzCase.kind, outcome.end)
    const wrong = judge(fuzzCase, outcome, secret)
    if (!wrong) return
    const failure = `case ${index} (${fuzzCase.kind}): ${wrong}`
    failures.push(failure)
    plan.onProgress?.(failure)
  }

  let done = 0
  try {
    // In rounds, so that memory is looked at while nothing is in flight.
    const round = Math.ceil(plan.count / SAMPLES)
    while (done < plan.count && server.child.exitCode === null) {
      const until = Math.min(plan.count, done + round)
      let next = done
      const wires = Array.from({ length: plan.connections }, () => new Wire(server.port))
      await Promise.all(
        wires.map(async (wire) => {
          while (next < until && failures.length < 200) await runCase(plan.from + next++, wire)
          wire.close()
        }),
      )
      done = until
      const sample = { at: done, ...(await askMemory(server)) }
      memory.push(sample)
      plan.onProgress?.(
        `${done} cases, ${failures.length} failures, rss ${(sample.rss / 1e6).toFixed(1)} MB, heap ${(sample.heapUsed / 1e6).toFixed(1)} MB`,
      )
    }
    while (stalled.some((socket) => !socket.closed) && Date.now() - stalledAt < STALL_WAIT_MS) await pause(250)
    const stalledLeft = stalled.filter((socket) => !socket.closed).length
    for (const socket of stalled) socket.destroy()
    for (let n = 0; n < 40 && connectionsTo(server.port) > 0; n++) await pause(50)
    return {
      statuses,
      failures,
      memory,
      errorLines,
      tokenInOutput,
      connectionsLeft: connectionsTo(server.port),
      stalledLeft,
      seconds: (Date.now() - startedAt) / 1000,
    }
  } finally {
    if (server.child.exitCode !== null)
      failures.push(`the server ended with ${server.child.exitCode}: ${server.stderr()}`)
    for (const socket of stalled) socket.destroy()
    await server.stop()
    await upstream.stop()
    issuer.close()
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Bytes by which memory grew over the last half of the run, resident and in the heap. */
export function growth(memory: readonly MemorySample[]): { rss: number; heap: number } {
  const half = memory[Math.floor((memory.length - 1) / 2)]
  const last = memory.at(-1)
  if (!half || !last) return { rss: 0, heap: 0 }
  return { rss: last.rss - half.rss, heap: last.heapUsed + last.external - half.heapUsed - half.external }
}
