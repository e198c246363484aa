// The demo with a real account behind it: what its owner is told before anything starts, and how his token gets in.
import { DEMO_FIRST_DAY_LIMIT_MICROS } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import { createDatabase } from '@vertexsms/db/client'
import { runToEnd } from './children.ts'
import { programBelow } from './program.ts'
import { isReal, type Settings } from './settings.ts'

/** The lines that come before everything else, of who pays and of what is different. */
export function realAccountNotes(settings: Settings, env: NodeJS.ProcessEnv = process.env): string[] {
  if (!isReal(settings)) return []
  const service = env.VERTEXSMS_API_URL ?? 'https://api.vertexsms.com'
  return [
    `REAL SMS WILL BE SENT, AND PAID BY YOUR VERTEXSMS ACCOUNT, through ${service}`,
    `the demo account may spend ${toEurText(DEMO_FIRST_DAY_LIMIT_MICROS, 2)} EUR a day to begin with; the dashboard and \`operator limits\` change it`,
    ...(env.REPORT_ADDRESS
      ? settings.VERTEXSMS_HLR_PRICE_EUR === undefined
        ? ['number lookups (HLR) need their price, unless it was set before: VERTEXSMS_HLR_PRICE_EUR, or the dashboard']
        : []
      : [
          'there is no public address for reports (REPORT_ADDRESS): whether a message arrived is asked for, with growing pauses,',
          'and number lookups (HLR) are off, because VertexSMS sends their results to a public address alone',
        ]),
  ]
}

/**
 * What is to be known of a real account that an earlier start left in this database, before anything is started: what
 * waits for it is cancelled by a start without it. Throws where something waits and nobody said that it may go.
 */
export async function leftAccountNotes(settings: Settings, databaseUrl: string): Promise<string[]> {
  if (isReal(settings)) return []
  const db = createDatabase({ url: databaseUrl, poolSize: 1 })
  try {
    if ((await db.upstreamAccount.count({ where: { sealedToken: { not: null } } })) === 0) return []
    const waiting = await db.sendMessage.count({
      where: { upstream: 'vertexsms', state: { in: ['scheduled', 'held'] } },
    })
    if (waiting > 0 && settings.UPSTREAM === undefined) {
      throw new Error(
        `${waiting} ${waiting === 1 ? 'message waits' : 'messages wait'} here to be sent by your VertexSMS account, and a start without it cancels them. ` +
          'UPSTREAM=vertexsms goes on with the stored token: real SMS. UPSTREAM=sandbox cancels them.',
      )
    }
    return [
      'NOTHING REAL IS SENT: this start simulates the network. The token of your VertexSMS account is still stored here;',
      'UPSTREAM=vertexsms uses it again, and `operator upstream-remove` or --fresh forgets it',
    ]
  } finally {
    await db.$disconnect()
  }
}

/** Where the commands find what they need. */
interface Place {
  readonly email: string
  readonly env: Record<string, string>
}

/**
 * Stores the token and the price of a lookup by the operator's own commands: the token by standard input, because
 * everybody sees arguments. VertexSMS is asked first. Throws where it refuses, or cannot be asked.
 */
export async function storeRealAccount(settings: Settings, { email, env }: Place): Promise<void> {
  const { VERTEXSMS_TOKEN: token, VERTEXSMS_HLR_PRICE_EUR: price, DEMO_PROGRAMS_DIR } = settings
  const command = async (args: readonly string[], input: string) => {
    const program = programBelow('apps/auth/src/cli/main.ts', DEMO_PROGRAMS_DIR)
    const status = await runToEnd([...program, ...args], env, ['pipe', 'ignore', 'inherit'], input)
    if (status !== 0) throw new Error('the VertexSMS account could not be set; nothing can be sent')
  }
  if (price !== undefined) await command(['upstream', email, '--hlr-price', price], '')
  if (token !== undefined) await command(['upstream-token', email], token)
}
