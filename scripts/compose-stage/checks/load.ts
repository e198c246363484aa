import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StackFacts } from '../../../e2e/support/stack.ts'
import { APPS, compose, containerOf, docker, inspect, logsOf } from '../engine.ts'
import { readyz, waitReady } from '../product.ts'
import { check, expectThat } from '../report.ts'
import { post, resultOf, type Target, Unanswered } from '../requests.ts'

/** A service counts as back this long after it said it was ready. */
const SETTLE_MS = 1_000
/** Longer for the database: a connection attempt begun while it was away is given up after five seconds only. */
const DATABASE_SETTLE_MS = 6_000

interface Outcome {
  at: number
  ms: number
  /** `ok`, or what went wrong in a few words. */
  what: string
  answered: boolean
}

interface Window {
  service: string
  from: number
  stoppedMs: number
  to: number
}

/** What may go wrong, by the service that is stopped; everything else, at any other time, is a fault. */
const ALLOWED: Record<string, RegExp> = {
  auth: /^never$/,
  api: /^HTTP 503 UPSTREAM_UNAVAILABLE$|^result UPSTREAM_UNAVAILABLE$/,
  postgres: /^HTTP 503 UPSTREAM_UNAVAILABLE$|^result UPSTREAM_UNAVAILABLE$/,
  mcp: /^not accepted/,
}

/** A steady load on MCP while each container is stopped and started in turn. */
export async function checkLoad(
  facts: StackFacts,
  { accessToken, seconds, rate }: { accessToken: string; seconds: number; rate: number },
): Promise<void> {
  process.env.RATE_LIMITS = 'off'
  await compose('up', '-d', '--no-build')
  await Promise.all(APPS.map((app) => waitReady(app)))
  const answeredBefore = await answersLogged()
  const load = startLoad([facts.token, accessToken], rate, await addressOfMcp())
  const services = ['auth', 'api', 'postgres', 'mcp']
  const windows: Window[] = []
  for (const service of services) {
    await sleep(Math.max(2_000, (seconds * 1000) / services.length - 8_000))
    windows.push(await stopAndStart(service))
    if (service === 'mcp') load.target = await addressOfMcp()
  }
  await sleep(Math.max(2_000, seconds * 1000 - (performance.now() - load.startedAt)))
  const took = (performance.now() - load.startedAt) / 1000
  const outcomes = await load.stop()

  // What was under way when a service stopped may have reached its own part of the way only then.
  const isWithin = ({ at, ms }: Outcome, { from, to }: Window) => at + ms > from && at < to
  const calm = outcomes.filter((outcome) => !windows.some((window) => isWithin(outcome, window)))
  await check(
    `under ${rate} requests/s for ${took.toFixed(0)} s every request outside the stops succeeds`,
    async () => {
      expectThat(outcomes.length > rate * took * 0.95, `only ${outcomes.length} were sent`)
      expectThat(
        calm.every(({ what }) => what === 'ok'),
        `${tally(calm)}; ${placed(calm, windows)}`,
      )
      const times = calm.map(({ ms }) => ms).sort((a, b) => a - b)
      const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(0)
      return `${calm.length} of ${calm.length}; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
    },
  )
  for (const window of windows) {
    const { service, from, to, stoppedMs } = window
    const within = outcomes.filter((outcome) => isWithin(outcome, window))
    await check(`while ${service} is stopped and started only what needs it fails, and says so`, async () => {
      const wrong = within.filter(({ what }) => what !== 'ok' && !ALLOWED[service]?.test(what))
      expectThat(wrong.length === 0, tally(wrong))
      return `gone in ${(stoppedMs / 1000).toFixed(1)} s, back after ${((to - from) / 1000).toFixed(1)} s; ${tally(within)}`
    })
  }
  await check('no request that MCP accepted was lost: it logged as many answers as arrived', async () => {
    const arrived = outcomes.filter(({ answered }) => answered).length
    const logged = (await answersLogged()) - answeredBefore
    expectThat(logged === arrived, `${logged} logged, ${arrived} arrived`)
    for (const app of APPS) expectThat(!(await logsOf(app)).includes('stopped all the same'), `${app} cut requests off`)
    return `${arrived}`
  })
}

async function stopAndStart(service: string): Promise<Window> {
  const id = await containerOf(service)
  const from = performance.now()
  await docker('stop', id)
  const stoppedMs = performance.now() - from
  const { State } = await inspect(service)
  expectThat(State.ExitCode === 0, `${service} ended with ${State.ExitCode}`)
  await docker('start', id)
  // Two answers in a row: MCP's own readiness follows the API's with a delay.
  for (let good = 0; good < 2; ) {
    good = (await Promise.all(APPS.map((app) => readyz(app)))).every((status) => status === 200) ? good + 1 : 0
    await sleep(100)
  }
  await sleep(service === 'postgres' ? DATABASE_SETTLE_MS : SETTLE_MS)
  return { service, from, stoppedMs, to: performance.now() }
}

/** Sends at a fixed rate, whatever comes back: half on connections that are kept, half on new ones. */
function startLoad(tokens: readonly string[], rate: number, target: Target) {
  const kept = new Agent({ keepAlive: true, maxSockets: 64 })
  const outcomes: Outcome[] = []
  const pending = new Set<Promise<void>>()
  const startedAt = performance.now()
  let sent = 0
  const load = { target, startedAt, stop }
  const one = async (number: number) => {
    const at = performance.now()
    const token = tokens[number % tokens.length] ?? ''
    const agent = number % 4 < 2 ? { agent: kept } : {}
    const [method, params] =
      number % 3 === 0 ? ['tools/list', {}] : ['tools/call', { name: 'get_mcc_mnc_list', arguments: { country: 'LT' } }]
    let what: string
    let answered = true
    try {
      const answer = await post(token, method as string, params as Record<string, unknown>, {
        ...agent,
        target: load.target,
        timeoutMs: 10_000,
      })
      const code = answer.status === 200 ? resultOf(answer).code : JSON.parse(answer.body).error?.code
      what = answer.status !== 200 ? `HTTP ${answer.status} ${code}` : code ? `result ${code}` : 'ok'
    } catch (error) {
      answered = false
      what = describe(error)
    }
    outcomes.push({ at, ms: performance.now() - at, what, answered })
  }
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * rate)
    for (; sent < due; sent += 1) {
      const request = one(sent).finally(() => pending.delete(request))
      pending.add(request)
    }
  }, 5)
  async function stop(): Promise<Outcome[]> {
    clearInterval(timer)
    await Promise.all(pending)
    kept.destroy()
    return outcomes
  }
  return load
}

/**
 * Without an answer nothing was accepted: there was no connection, or it was closed before the request was read (a
 * kept one that the server had just ended, a new one still in the kernel's queue). That the server read none of them is
 * what the comparison with its log proves.
 */
function describe(error: unknown): string {
  if (!(error instanceof Unanswered)) return `broken answer: ${String(error)}`
  if (error.code === 'CUT') return 'answer cut off'
  const how = error.reached === 'no connection' ? error.reached : `${error.reached} closed`
  return `not accepted, ${how} (${error.code})`
}

function tally(outcomes: readonly Outcome[]): string {
  const counts: Record<string, number> = {}
  for (const { what } of outcomes) counts[what] = (counts[what] ?? 0) + 1
  return Object.entries(counts)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ')
}

/** Where the failures lie, so that a red run can be understood: milliseconds after the stop that ended last. */
function placed(outcomes: readonly Outcome[], windows: readonly Window[]): string {
  return outcomes
    .filter(({ what }) => what !== 'ok')
    .map(({ at, ms, what }) => {
      const last = windows.findLast(({ to }) => to <= at)
      const next = windows.find(({ from }) => from > at)
      const after = last ? `${(at - last.to).toFixed(0)} ms after ${last.service}` : 'before the first stop'
      return `${what} sent ${after}${next ? `, ${(next.from - at).toFixed(0)} ms before ${next.service}` : ''}, took ${ms.toFixed(0)} ms`
    })
    .join(' | ')
}

async function answersLogged(): Promise<number> {
  return (await logsOf('mcp'))
    .split('\n')
    .filter((line) => line.includes('"msg":"request"') && line.includes('"route":"/mcp"')).length
}

/**
 * The container's own address: on the published port Docker's forwarder accepts in its place, and what it then
 * fails to deliver would look like a request that MCP had accepted.
 */
async function addressOfMcp(): Promise<Target> {
  const { NetworkSettings } = await inspect('mcp')
  const [host] = Object.values(NetworkSettings.Networks).map(({ IPAddress }) => IPAddress)
  if (!host) throw new Error('mcp has no address')
  return { host, port: 4001 }
}
