// The load: keep-alive connections that each send one prepared request, wait for the whole answer, and send again. It
// runs in a process of its own, straight on sockets, because an HTTP client in Node would cost as much as the server
// under test. Reads LoadPlans from IPC, sends a LoadReport back for each.
import { connect, type Socket } from 'node:net'
import { cpuSeconds } from './process.ts'

/** What to send, and how long. */
export interface LoadPlan {
  readonly port: number
  /** Prepared requests, base64: one for each connection, or as many as {@link lanes} share. */
  readonly requests: readonly string[]
  /** Connections, where they are fewer than the requests: each sends every so many-th of them in turn. */
  readonly lanes?: number
  /** Seconds of load before the measurement begins, and of the measurement. */
  readonly rampSeconds: number
  readonly seconds: number
  /** Every answer must be a 200 that holds this text. */
  readonly expect: string
  /** Processes whose processor time is read at both ends of the measurement. */
  readonly watch: Readonly<Record<string, number>>
}

/** Where a prepared request holds this text, each request that is sent holds another one of the same length. */
export const UNIQUE = '{{unique-}}'

/** What came back. Latencies in milliseconds. */
export interface LoadReport {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Answers that were no 200, did not hold the text, or never came. */
  readonly wrong: number
  /** The first wrong answer, shortened. */
  readonly wrongSample: string
  /** Share of one core each watched process used during the measurement, and the load itself under `load`. */
  readonly cpu: Readonly<Record<string, number>>
}

/** Length of the complete HTTP answer at the start of `bytes`, or 0 while it is incomplete. */
export function answerLength(bytes: Buffer): number {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return 0
  const head = bytes.toString('latin1', 0, headEnd).toLowerCase()
  const at = head.indexOf('\r\ncontent-length:')
  if (at !== -1) {
    const total = headEnd + 4 + Number.parseInt(head.slice(at + 17), 10)
    return bytes.length >= total ? total : 0
  }
  if (!head.includes('\r\ntransfer-encoding: chunked')) return headEnd + 4
  const end = bytes.indexOf('\r\n0\r\n\r\n', headEnd)
  return end === -1 ? 0 : end + 7
}

/** Requests of all runs that were made another than the one before. */
let stamped = 0

async function run(plan: LoadPlan): Promise<LoadReport> {
  const latencies: number[] = []
  let wrong = 0
  let wrongSample = ''
  let measuring = false
  let over = false
  const sockets: Socket[] = []
  const marks = new WeakMap<Buffer, number>()

  const note = (sample: string): void => {
    if (!measuring) return
    wrong += 1
    wrongSample ||= sample.slice(0, 600)
  }
  const stamp = (request: Buffer): Buffer => {
    const at = request.indexOf(UNIQUE)
    if (at !== -1) marks.set(request, at)
    const place = marks.get(request)
    if (place !== undefined) request.write(String(++stamped).padStart(UNIQUE.length, '0'), place, 'latin1')
    return request
  }
  const open = (requests: readonly Buffer[]): Socket => {
    const socket = connect({ port: plan.port, host: '127.0.0.1', noDelay: true })
    let pending: Buffer = Buffer.alloc(0)
    let sentAt = 0
    let turn = 0
    const send = (): void => {
      const request = requests[turn++ % requests.length] ?? Buffer.alloc(0)
      sentAt = performance.now()
      socket.write(stamp(request))
    }
    socket.on('connect', send)
    socket.on('data', (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      const length = answerLength(pending)
      if (length === 0) return
      if (measuring) latencies.push(performance.now() - sentAt)
      const right = pending.toString('latin1', 9, 12) === '200' && pending.indexOf(plan.expect) !== -1
      if (!right) note(pending.toString('latin1', 0, length))
      pending = pending.subarray(length)
      if (!over) send()
    })
    socket.on('error', (error) => note(String(error)))
    socket.on('close', () => {
      if (over) return
      note('closed by the server')
      sockets.push(open(requests))
    })
    return socket
  }
  const prepared = plan.requests.map((request) => Buffer.from(request, 'base64'))
  const lanes = plan.lanes ?? prepared.length
  for (let lane = 0; lane < lanes; lane++) sockets.push(open(prepared.filter((_, at) => at % lanes === lane)))

  await new Promise((resolve) => setTimeout(resolve, plan.rampSeconds * 1000))
  const watch = { ...plan.watch, load: process.pid }
  const usedBefore = Object.values(watch).map(cpuSeconds)
  const startedAt = performance.now()
  measuring = true
  await new Promise((resolve) => setTimeout(resolve, plan.seconds * 1000))
  measuring = false
  const seconds = (performance.now() - startedAt) / 1000
  const usedAfter = Object.values(watch).map(cpuSeconds)
  over = true
  for (const socket of sockets) socket.destroy()

  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  const shares = Object.keys(watch).map((name, i) => [name, ((usedAfter[i] ?? 0) - (usedBefore[i] ?? 0)) / seconds])
  return {
    requestsPerSecond: (latencies.length - wrong) / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    wrong,
    wrongSample,
    cpu: Object.fromEntries(shares),
  }
}

if (process.send) {
  process.on('message', (plan: LoadPlan) => {
    run(plan).then((report) => process.send?.(report))
  })
  process.once('disconnect', () => process.exit(0))
}
