// bench:memory: resident memory of the authorization server and of the REST API, from the image's bundle with the image's
// settings, at rest and under load, beside a bare bundle of the same libraries with the same settings in the same run.
// docs/performance.md says how to read what it prints. Linux, with PostgreSQL or TEST_DATABASE_URL.
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { TOKEN_HEADER } from '@vertexsms/contract/headers'
import { AuthClient } from '../auth/client.ts'
import { LoadProcess } from '../harness/apply-load.ts'
import { bundleOf } from '../harness/bundle.ts'
import { benchDatabase } from '../harness/database.ts'
import { MCP_RESOURCE_URL } from '../harness/issuer.ts'
import { nodeBinary, SHIPPED_NODE } from '../harness/node-binary.ts'
import { imageEnvironment, imageNodeOptions } from '../harness/ours.ts'
import { residentBytes, type Started, start } from '../harness/process.ts'
import { Installation } from '../harness/services.ts'

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', default: SHIPPED_NODE },
    'rest-seconds': { type: 'string', default: '8' },
    'load-seconds': { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    /** Options of Node and settings of the C library instead of the image's, for comparing. */
    with: { type: 'string' },
  },
})
const REST_MAX = 1.25
const LOAD_MAX = 1.6
const LANES = 8
const CONNECTIONS = 32
const loadSeconds = Number(options['load-seconds'])

interface Figures {
  readonly restMb: number
  readonly loadMb: number
}

const megabytes = (target: Started): number => residentBytes(target.pid) / 1e6

/** Memory after some seconds of nothing, and the most that was seen once a second under load. */
async function figures(target: Started, load: () => Promise<void>): Promise<Figures> {
  await delay(Number(options['rest-seconds']) * 1000)
  const restMb = megabytes(target)
  let over = false
  const loading = load().finally(() => {
    over = true
  })
  let loadMb = 0
  while (!over) {
    loadMb = Math.max(loadMb, megabytes(target))
    await Promise.race([loading, delay(1000)])
  }
  await loading
  await target.stop()
  return { restMb, loadMb }
}

/** Whole connections one after the other, and refreshes between them, on every lane. */
async function connectAndRefresh(client: AuthClient): Promise<void> {
  const until = performance.now() + loadSeconds * 1000
  const lane = async (): Promise<void> => {
    while (performance.now() < until) {
      const clientId = await client.register()
      let token = await client.exchange(await client.authorize(clientId))
      for (let n = 0; n < 10 && performance.now() < until; n++) token = await client.refresh(clientId, token)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  await client.close()
}

async function read(target: Started, token: string): Promise<void> {
  const head = ['GET /token HTTP/1.1', 'Host: localhost', `${TOKEN_HEADER}: ${token}`].join('\r\n')
  const load = new LoadProcess(1)
  const plan = { rampSeconds: 0.5, seconds: loadSeconds, expect: 'permissions', watch: { server: target.pid } }
  const request = Buffer.from(`${head}\r\n\r\n`).toString('base64')
  const report = await load.apply({ ...plan, port: target.port, requests: Array(CONNECTIONS).fill(request) })
  load.stop()
  if (report.wrong > 0) throw new Error(`${report.wrong} wrong answers: ${report.wrongSample}`)
}

const database = await benchDatabase()
try {
  const node = nodeBinary(options.node)
  const words = options.with?.split(' ').filter(Boolean)
  const nodeArguments = words?.filter((word) => word.startsWith('-')) ?? imageNodeOptions()
  const env = words
    ? Object.fromEntries(words.filter((word) => !word.startsWith('-')).map((word) => word.split('=', 2)))
    : imageEnvironment()
  const how = { core: 0, node, nodeArguments, plain: true }
  const bare = async (script: string) =>
    start({
      ...how,
      script: await bundleOf(`bench/memory/${script}`),
      env: { ...env, DATABASE_URL: database.url, MCP_RESOURCE_URL },
    })
  const installation = new Installation(database)
  const credentials = installation.makeAccount(node)
  const rows = new Map<string, { bare: Figures; ours: Figures }>()

  if (options.only !== 'api') {
    const bareAuth = await bare('bare-auth.ts')
    const bareFigures = await figures(bareAuth, () => connectAndRefresh(new AuthClient(bareAuth.port)))
    const auth = await installation.startAuth({ ...how, env })
    const ours = await figures(auth, async () => {
      const client = new AuthClient(auth.port)
      await client.signIn(credentials)
      await connectAndRefresh(client)
    })
    rows.set('auth', { bare: bareFigures, ours })
  }
  if (options.only !== 'auth') {
    const bareApi = await bare('bare-api.ts')
    const bareFigures = await figures(bareApi, () => read(bareApi, credentials.token))
    const api = await installation.startApi({ ...how, env })
    rows.set('api', { bare: bareFigures, ours: await figures(api, () => read(api, credentials.token)) })
  }

  console.log(
    `Node ${options.node}, ${[...nodeArguments, ...Object.entries(env).map((pair) => pair.join('='))].join(' ')}; ${loadSeconds} s of load, ${new Date().toISOString()}\n`,
  )
  console.log(
    '| service | bare at rest, MB | ours at rest, MB | times | bare under load, MB | ours under load, MB | times the bare at rest | times the bare under load |',
  )
  console.log('|---|---:|---:|---:|---:|---:|---:|---:|')
  const verdicts = []
  for (const [name, { bare: b, ours }] of rows) {
    const [rest, load, both] = [ours.restMb / b.restMb, ours.loadMb / b.restMb, ours.loadMb / b.loadMb]
    const mb = (value: number) => value.toFixed(0)
    console.log(
      `| ${[name, mb(b.restMb), mb(ours.restMb), rest.toFixed(2), mb(b.loadMb), mb(ours.loadMb), load.toFixed(2), both.toFixed(2)].join(' | ')} |`,
    )
    const told = (met: boolean, goal: string, value: number) =>
      `- ${met ? 'met' : 'MISSED'}: ${name} ${goal}: ${value.toFixed(2)}`
    verdicts.push(told(rest <= REST_MAX, `at rest at most ${REST_MAX} times the bare bundle at rest`, rest))
    verdicts.push(told(load <= LOAD_MAX, `under load at most ${LOAD_MAX} times the bare bundle at rest`, load))
  }
  console.log(`\n${verdicts.join('\n')}`)
} finally {
  await database.close()
}
