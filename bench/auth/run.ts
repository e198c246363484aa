// bench:auth: what one refresh, one exchange of a code, one registration and one whole connect cost the authorization
// server, on PostgreSQL, against the bare library with everything in memory, in interleaved rounds on the Node that is
// shipped. docs/performance.md says how to read what it prints. Linux, with PostgreSQL or TEST_DATABASE_URL.
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { bundleOf } from '../harness/bundle.ts'
import { benchDatabase } from '../harness/database.ts'
import { MCP_RESOURCE_URL } from '../harness/issuer.ts'
import { nodeBinary, SHIPPED_NODE } from '../harness/node-binary.ts'
import { imageNodeOptions } from '../harness/ours.ts'
import { cpuSeconds, type Started, start } from '../harness/process.ts'
import { Installation } from '../harness/services.ts'
import { median } from '../mcp/report.ts'
import { AuthClient, type Code } from './client.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    'warm-up': { type: 'string', default: '20' },
    lanes: { type: 'string', default: '8' },
    node: { type: 'string', default: SHIPPED_NODE },
    profile: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
  },
})
const SERVER_CORE = 0
const CODES = 120
const ACCOUNTS = 40
const REFRESH_MAX = 3
const lanes = Number(options.lanes)

const OPERATIONS = ['refresh', 'exchange of a code', 'registration', 'whole connect'] as const
type Operation = (typeof OPERATIONS)[number]
/** With `--only`, those whose name holds this. */
const MEASURED = OPERATIONS.filter((name) => name.includes(options.only))

interface Figure {
  readonly cpuMs: number
  readonly perSecond: number
}

interface Contestant {
  readonly title: string
  readonly target: Started
  readonly client: AuthClient
  /** A live refresh token of each lane. */
  readonly held: { readonly clientId: string; token: string }[]
  readonly figures: Map<Operation, Figure[]>
}

async function ready(title: string, target: Started, client: AuthClient): Promise<Contestant> {
  const held: Contestant['held'] = []
  for (let lane = 0; lane < lanes; lane++) {
    const clientId = await client.register()
    held.push({ clientId, token: await client.exchange(await client.authorize(clientId)) })
  }
  return { title, target, client, held, figures: new Map(OPERATIONS.map((name) => [name, []])) }
}

/** Each lane repeats `one` until it says false; what that cost the server, each time. */
async function measured({ target }: Contestant, one: (lane: number) => Promise<boolean>): Promise<Figure> {
  const [cpu, began] = [cpuSeconds(target.pid), performance.now()]
  let done = 0
  const lane = async (n: number): Promise<void> => {
    while (await one(n)) done += 1
  }
  await Promise.all(Array.from({ length: lanes }, (_, n) => lane(n)))
  const seconds = (performance.now() - began) / 1000
  return { cpuMs: ((cpuSeconds(target.pid) - cpu) * 1000) / done, perSecond: done / seconds }
}

async function perform(contestant: Contestant, operation: Operation, seconds: number): Promise<Figure> {
  const { client, held } = contestant
  const until = performance.now() + seconds * 1000
  const timed = (one: (lane: number) => Promise<unknown>) => async (lane: number) => {
    if (performance.now() >= until) return false
    await one(lane)
    return true
  }
  switch (operation) {
    case 'refresh':
      return measured(
        contestant,
        timed(async (lane) => {
          const own = held[lane]
          if (own) own.token = await client.refresh(own.clientId, own.token)
        }),
      )
    case 'exchange of a code': {
      // A client of its own for each: with a new consent the earlier code of a client ends.
      const codes: Code[] = []
      const prepare = async (): Promise<Code> => client.authorize(await client.register())
      for (let n = 0; n < CODES / lanes; n++) codes.push(...(await Promise.all(held.map(prepare))))
      return measured(contestant, async () => {
        const code = codes.pop()
        if (code !== undefined) await client.exchange(code)
        return code !== undefined
      })
    }
    case 'registration':
      return measured(
        contestant,
        timed(() => client.register()),
      )
    case 'whole connect':
      return measured(
        contestant,
        timed(async () => client.exchange(await client.authorize(await client.register()))),
      )
  }
}

const database = await benchDatabase()
const contestants: Contestant[] = []
try {
  const loadBefore = loadavg()[0] ?? 0
  const node = nodeBinary(options.node)
  const how = { core: SERVER_CORE, node }
  const script = await bundleOf('bench/auth/contestants/library.ts')
  const nodeArguments = imageNodeOptions()
  const library = await start({ ...how, script, plain: true, nodeArguments, env: { MCP_RESOURCE_URL } })
  contestants.push(await ready('bare library, in memory', library, new AuthClient(library.port)))
  const installation = new Installation(database)
  const profile = options.profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`]
  const ours = await installation.startAuth({ ...how, nodeArguments: [...nodeArguments, ...profile] })
  const client = new AuthClient(ours.port)
  const { email, password } = installation.makeAccount(node)
  // An account may have so many connections and no more, and a page that lists hundreds is none that people see.
  for (const one of [email, ...(await installation.copyAccount(ACCOUNTS - 1))])
    await client.signIn({ email: one, password })
  contestants.push(await ready('**ours**, on PostgreSQL', ours, client))

  for (const contestant of contestants) await perform(contestant, 'whole connect', Number(options['warm-up']))
  for (const contestant of contestants) await perform(contestant, 'refresh', Number(options['warm-up']))
  for (let n = 0; n < Number(options.rounds); n++) {
    for (const operation of MEASURED) {
      for (const contestant of contestants) {
        const figure = await perform(contestant, operation, Number(options.seconds))
        contestant.figures.get(operation)?.push(figure)
        process.stderr.write(`${n + 1} ${contestant.title}, ${operation}: ${figure.cpuMs.toFixed(2)} ms\n`)
      }
    }
  }

  const [bare, own] = contestants
  const cpu = (of: Contestant | undefined, name: Operation) => (of?.figures.get(name) ?? []).map(({ cpuMs }) => cpuMs)
  const rows = MEASURED.map((name) => {
    const times = median(cpu(own, name).map((value, n) => value / (cpu(bare, name)[n] ?? Number.NaN)))
    const rate = (of: Contestant | undefined) =>
      median((of?.figures.get(name) ?? []).map(({ perSecond }) => perSecond)).toFixed(0)
    const cells = [name, median(cpu(bare, name)).toFixed(2), median(cpu(own, name)).toFixed(2), times.toFixed(1)]
    return { name, times, line: `| ${[...cells, rate(bare), rate(own)].join(' | ')} |` }
  })
  const refresh = rows.find(({ name }) => name === 'refresh')?.times ?? Number.NaN
  console.log(
    [
      `${cpus()[0]?.model}, ${cpus().length} cores, Node ${options.node}, load average before ${loadBefore.toFixed(2)}; ` +
        `${options.rounds} rounds of ${options.seconds} s, ${lanes} at once, ${new Date().toISOString()}`,
      '',
      '| operation | bare library in memory, CPU ms | ours on PostgreSQL, CPU ms | times | library, a second | ours, a second |',
      '|---|---:|---:|---:|---:|---:|',
      ...rows.map(({ line }) => line),
      '',
      `- ${refresh <= REFRESH_MAX ? 'met' : 'MISSED'}: a refresh costs at most ${REFRESH_MAX} times the processor time of the bare library in memory: ${refresh.toFixed(1)}`,
    ].join('\n'),
  )
} finally {
  for (const { client, target } of contestants) {
    await client.close()
    await target.stop()
  }
  await database.close()
}
