import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StackFacts } from '../../../e2e/support/stack.ts'
import { APPS, type App, compose, containerOf, docker, inspect, logsOf } from '../engine.ts'
import { waitReady } from '../product.ts'
import { check, expectThat } from '../report.ts'
import { type Answer, callTool, resultOf, Unanswered } from '../requests.ts'

const GONE_MS = 5_000
const PORTS: Record<App, number> = { auth: 4000, mcp: 4001, api: 4002 }
const SENDS_MAX = 600
const SENDS_BEFORE_STOP = 10
/** After the stop has begun, sending goes on up to a multiple of this. */
const SENDS_BETWEEN_LOOKS = 60

/** What a stop (SIGTERM, as `docker stop` sends it) does to work that is under way. */
export async function checkStopping(facts: StackFacts): Promise<void> {
  for (const app of APPS) {
    await check(`${app} with idle connections, one of them without any request, is gone at once`, async () => {
      const sockets = await Promise.all([idle(app, true), idle(app, true), idle(app, false)])
      const ms = await stop(app)
      for (const socket of sockets) socket.destroy()
      await start(app)
      return `${(ms / 1000).toFixed(1)} s`
    })
  }
  await compose(
    '-f',
    'docker-compose.yml',
    '-f',
    'scripts/compose-stage/slow-lookups.yml',
    'up',
    '-d',
    '--no-build',
    '--no-deps',
    'api',
  )
  await Promise.all(APPS.map((app) => waitReady(app)))
  for (const app of ['mcp', 'api'] as const) {
    await check(
      `a waiting HLR lookup answers \`pending\` when ${app} is stopped, and is found again by its id`,
      async () => {
        const lookup = callTool(facts.token, 'lookup_hlr', { msisdn: '+37061234567' })
        await sleep(1_500)
        const [answer, ms] = await Promise.all([lookup, stop(app)])
        const { data, code } = resultOf(answer)
        expectThat(
          answer.status === 200 && data?.status === 'pending',
          `${answer.status} ${code ?? ''} ${answer.body.slice(0, 300)}`,
        )
        await start(app)
        const again = resultOf(
          await withoutWaiting(callTool(facts.token, 'lookup_hlr', { lookupId: data.lookup_id }), 'mcp'),
        )
        expectThat(again.data?.lookup_id === data.lookup_id, JSON.stringify(again).slice(0, 300))
        return `gone in ${(ms / 1000).toFixed(1)} s`
      },
    )
  }
  await compose('up', '-d', '--no-build', '--no-deps', 'api')
  await Promise.all(APPS.map((app) => waitReady(app)))
  for (const [index, app] of (['mcp', 'api'] as const).entries()) {
    await check(
      `messages handed over while ${app} stops are recorded once; those refused or unanswered are not sent`,
      () => checkSends(facts, app, 7_000_000 + index * 1_000),
    )
  }
}

/** Ends a wait of up to 20 s early, in the way the checks above have shown: a stop of the waiting server. */
async function withoutWaiting(lookup: Promise<Answer>, app: App): Promise<Answer> {
  await sleep(500)
  const [answer] = await Promise.all([lookup, stop(app)])
  await start(app)
  return answer
}

/** Sends messages one after another, stops the app when some have gone through, and compares answers with records. */
async function checkSends(facts: StackFacts, app: App, first: number): Promise<string> {
  const told = new Map<string, Promise<string>>()
  let sent = 0
  let stopping: Promise<number> | undefined
  for (let index = 0; index < SENDS_MAX && (!stopping || index % SENDS_BETWEEN_LOOKS !== 0); index += 1) {
    const number = `3706${first + index}`
    const outcome = sendOne(facts, number)
    told.set(number, outcome)
    void outcome.then((what) => {
      if (what === 'sent') sent += 1
    })
    await sleep(20)
    if (sent >= SENDS_BEFORE_STOP) stopping ??= stop(app)
  }
  const outcomes = new Map(await Promise.all([...told].map(async ([number, what]) => [number, await what] as const)))
  expectThat(stopping !== undefined, `too few went through: ${[...new Set(outcomes.values())]}`)
  await stopping
  await start(app)
  const sql = `SELECT recipient FROM message WHERE recipient LIKE '%3706${String(first).slice(0, 4)}%'`
  const psql = ['psql', '-U', 'vertexsms', '-d', 'vertexsms', '-tAc', sql]
  const rows = (await docker('exec', await containerOf('postgres'), ...psql)).split('\n')
  const counts: Record<string, number> = {}
  for (const [number, outcome] of outcomes) {
    counts[outcome] = (counts[outcome] ?? 0) + 1
    const recorded = rows.filter((row) => row.replace(/^\+/, '') === number).length
    const allowed = outcome === 'sent' ? [1] : outcome === 'SEND_OUTCOME_UNKNOWN' ? [0, 1] : [0]
    expectThat(allowed.includes(recorded), `${outcome}, but recorded ${recorded} times`)
  }
  return JSON.stringify(counts)
}

/** What a caller is told of one message. */
async function sendOne({ token }: StackFacts, number: string): Promise<string> {
  try {
    const message = { to: `+${number}`, from: 'VertexDemo', message: 'While it stops' }
    const answer = await callTool(token, 'send_sms', message)
    return answer.status === 200 ? (resultOf(answer).code ?? 'sent') : `HTTP ${answer.status}`
  } catch (error) {
    if (error instanceof Unanswered) return 'unanswered'
    throw error
  }
}

/** Stops an app and returns how long that took; throws when it was killed or cut requests off. */
async function stop(app: App): Promise<number> {
  const id = await containerOf(app)
  const started = performance.now()
  await docker('stop', id)
  const ms = performance.now() - started
  const { State } = await inspect(app)
  expectThat(State.ExitCode === 0, `${app} ended with ${State.ExitCode} after ${(ms / 1000).toFixed(1)} s`)
  expectThat(ms < GONE_MS, `${app} took ${(ms / 1000).toFixed(1)} s`)
  expectThat(!(await logsOf(app)).includes('stopped all the same'), `${app} cut requests off`)
  return ms
}

async function start(app: App): Promise<void> {
  await docker('start', await containerOf(app))
  await Promise.all(APPS.map((name) => waitReady(name)))
}

/** A connection that idles: after one answered request, or without any. */
function idle(app: App, used: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(PORTS[app], '127.0.0.1')
    socket.once('error', reject)
    socket.once('connect', () => {
      if (!used) resolve(socket)
      else socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n')
    })
    socket.once('data', () => resolve(socket))
  })
}
