import type { StackFacts } from '../../../e2e/support/stack.ts'
import { APPS, compose, containerOf, docker, inspect, waitFor, waitHealthy } from '../engine.ts'
import { healthz, readyz, waitReady } from '../product.ts'
import { check, expectThat } from '../report.ts'
import { type Answer, callTool, post, resultOf } from '../requests.ts'
import type { Connection } from './connecting.ts'

const NOTICE_MS = 15_000
const AWAY = 'UPSTREAM_UNAVAILABLE'

/** Every container is restarted, and the database is taken away, under a connection that goes on. */
export async function checkRestarts(facts: StackFacts, connection: Connection): Promise<void> {
  for (const service of [...APPS, 'postgres']) {
    await check(`after a restart of ${service} the connection works and refreshes`, async () => {
      await docker('restart', await containerOf(service))
      await waitHealthy([service])
      const waits = await Promise.all(APPS.map((app) => waitReady(app)))
      await connection.call()
      await connection.renew()
      return `all ready ${(Math.max(...waits) / 1000).toFixed(1)} s after Docker called it healthy`
    })
  }
  await check('after `down` and `up` the connection works and refreshes', async () => {
    await compose('down')
    await compose('up', '-d', '--no-build')
    await Promise.all(APPS.map((app) => waitReady(app)))
    await connection.call()
    await connection.renew()
  })
  await checkDatabaseAway(facts, connection)
}

async function checkDatabaseAway(facts: StackFacts, connection: Connection): Promise<void> {
  const before = await Promise.all(APPS.map((app) => inspect(app)))
  const database = await containerOf('postgres')
  await check(
    'with PostgreSQL stopped every app is alive, none says it is ready, and MCP says so, never 401',
    async () => {
      await docker('stop', database)
      for (const app of APPS) {
        await waitFor(`${app} to say it is not ready`, NOTICE_MS, async () => (await readyz(app)) === 503)
        expectThat((await healthz(app)) === 200, `${app} is not alive`)
      }
      for (const token of [facts.token, connection.accessToken()]) {
        const list = await post(token, 'tools/list', {})
        expectThat(list.status === 503 && codeOf(list) === AWAY, `tools/list: ${list.status} ${list.body}`)
        // A call that handed nothing over is a result that the model can read and try again.
        const call = await callTool(token, 'get_mcc_mnc_list', { country: 'LT' })
        expectThat(codeOf(call) === AWAY, `tools/call: ${call.status} ${call.body.slice(0, 200)}`)
      }
    },
  )
  await check('PostgreSQL back, every app is ready again without a restart, and the connection works', async () => {
    await docker('start', database)
    const waits = await Promise.all(APPS.map((app) => waitReady(app)))
    await connection.call()
    await connection.renew()
    const after = await Promise.all(APPS.map((app) => inspect(app)))
    for (const [index, app] of APPS.entries()) {
      const same = before[index]?.State.StartedAt === after[index]?.State.StartedAt
      expectThat(same && before[index]?.RestartCount === after[index]?.RestartCount, `${app} was restarted`)
    }
    return APPS.map((app, index) => `${app} ${((waits[index] ?? 0) / 1000).toFixed(1)} s`).join(', ')
  })
}

function codeOf(answer: Answer): string | undefined {
  return answer.status === 200 ? resultOf(answer).code : JSON.parse(answer.body).error?.code
}
