// The load: keep-alive connections that each send one prepared request, wait for the whole answer, and send again. It
// runs in a process of its own, straight on sockets, because an HTTP client in Node would cost as much as the server
// under test. Reads LoadPlans from IPC, sends a LoadReport back for each.
import { connect, type Socket } from 'node:net'
import { cpuSeconds } from './process.ts'

/** What to send, and how long. */
export interface LoadPlan {
  readonly port: number
  /** One prepared request for each connection, base64. */
  readonly requests: readonly string[]
  /** Seconds of load before the measurement begins, and of the measurement. */
  readonly rampSeconds: number
  readonly seconds: number
  /** Every answer must be a 200 that holds this text. */
  readonly expect: string
  /** Processes whose processor time is read at both ends of the measurement. */
  readonly watch: Readonly<Record<string, number>>
}

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

async function run(plan: LoadPlan): Promise<LoadReport> {
  const latencies: number[] = []
  let wrong = 0
  let wrongSample = ''
  let measuring = false
  let over = false
  const sockets: Socket[] = []

  const note = (sample: string): void => {
    if (!measuring) return
    wrong += 1
    wrongSample ||= sample.slice(0, 600)
  }
  const open = (request: Buffer): Socket => {
    const socket = connect({ port: plan.port, host: '127.0.0.1', noDelay: true })
    let pending: Buffer = Buffer.alloc(0)
    let sentAt = 0
    const send = (): void => {
      sentAt = performance.now()
      socket.write(request)
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
      sockets.push(open(request))
    })
    return socket
  }
  for (const request of plan.requests) sockets.push(open(Buffer.from(request, 'base64')))

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
