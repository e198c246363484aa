import { type Database, Prisma } from '@vertexsms/db/client'
import { endAccess } from '../accounts/access-end.ts'
import { accountTransaction, lockAccount } from '../accounts/account-lock.ts'
import { type Command, type CommandContext, CommandError } from './command.ts'
import { accountOf } from './who.ts'

/** One table of what an account owns. What is not named here is not told: hashes, sealed texts, ids at the operator. */
interface Part {
  readonly name: string
  readonly table: string
  /** What the rows are gone through by. */
  readonly key: 'id' | 'spender_id'
  readonly keyType: 'uuid' | 'bigint' | 'text'
  readonly columns: readonly string[]
  /** The column by which they are the account's; its email address for what came before the account. */
  readonly of: 'account_id' | 'email'
}

const uuid = { key: 'id', keyType: 'uuid', of: 'account_id' } as const
const counted = { ...uuid, keyType: 'bigint' } as const
const LIMITS =
  'max_per_send_micros max_per_day_micros max_total_micros recipients_per_day countries senders ask_above_micros ask_new_country'
const PAUSES = 'paused_at resumed_at auto_paused_at auto_paused_reason ended_at ended_name'
const words = (text: string) => text.split(' ')

/** Everything that an account owns, table by table. */
export const PARTS: readonly Part[] = [
  {
    ...uuid,
    name: 'sessions',
    table: 'session',
    columns: words('created_at last_seen_at expires_at user_agent address'),
  },
  { ...uuid, keyType: 'text', name: 'passkeys', table: 'passkey', columns: words('name created_at last_used_at') },
  {
    ...uuid,
    name: 'connections',
    table: 'connection',
    columns: words(
      'id client_id client_name redirect_host scopes created_at approved_at expires_at ended_at ended_reason spender_id',
    ),
  },
  {
    ...uuid,
    name: 'tokens',
    table: 'api_token',
    columns: words(
      'id connection_id kind name permissions ip_allow_list created_at last_used_at expires_at last_four spender_id',
    ),
  },
  { ...uuid, name: 'spenders', table: 'spender', columns: words(`id kind created_at ${LIMITS} ${PAUSES}`) },
  {
    ...uuid,
    name: 'sends',
    table: 'send',
    columns: words(
      'id spender_id connection_id token_id kind upstream route sender coding priority test_mode dlr_url scheduled_at expire_in_seconds created_at',
    ),
  },
  {
    ...counted,
    name: 'recipients',
    table: 'send_message',
    columns: words(
      'id send_id position recipient country parts state hold_micros charged_micros delivery delivery_error mccmnc failure failure_number failure_reason result created_at handed_at settled_at final_at not_sent_at was_sent_at',
    ),
  },
  {
    ...uuid,
    name: 'approvals',
    table: 'approval',
    columns: words(
      'id spender_id upstream state ceiling_micros reason recipients countries sender scheduled_at created_at expires_at decided_at send_id',
    ),
  },
  {
    ...counted,
    name: 'activity',
    table: 'activity',
    columns: words(
      'at spender_id what outcome country parts amount_micros last_digits send_id message_id upstream count',
    ),
  },
  { ...uuid, name: 'notices', table: 'notice', columns: words('spender_id kind details created_at sent_at') },
  {
    ...uuid,
    name: 'vertexsmsAccount',
    table: 'upstream_account',
    columns: words('last_four hlr_price_micros checked_at changed_at'),
  },
  {
    ...counted,
    name: 'vertexsmsSenders',
    table: 'upstream_sender',
    columns: words('id type name notification_url created_at confirmed_at reviewed_at'),
  },
  {
    ...counted,
    name: 'sandboxSenders',
    table: 'sender_id',
    columns: words('id type name category category_description notification_url status created_at'),
  },
  {
    ...counted,
    name: 'sandboxMessages',
    table: 'message',
    columns: words(
      'id connection_id recipient sender text coding parts priority test_mode dlr_url price_micros mccmnc status error_code created_at send_at',
    ),
  },
  {
    ...counted,
    name: 'sandboxTexts',
    table: 'sandbox_text',
    columns: words('recipient sender text received_at message_id'),
  },
  {
    ...counted,
    name: 'sandboxLookups',
    table: 'hlr_lookup',
    columns: words('id msisdn callback_url price_micros result created_at'),
  },
  {
    ...counted,
    name: 'callbacks',
    table: 'callback',
    columns: words('url body attempts created_at delivered_at abandoned_at'),
  },
  {
    ...uuid,
    of: 'email',
    name: 'accessRequests',
    table: 'access_request',
    columns: words('email name company reason created_at handled_at'),
  },
]

const PAGE_ROWS = 1000

/** `export`: prints what an account owns. */
export const exportAccount: Command = {
  usage: 'export EMAIL',
  summary: 'Print everything that an account owns as JSON, without hashes, keys and sealed texts',
  async run(context, args) {
    const { db, print } = context
    const { id } = await accountOf(context, args[0])
    const account = await db.account.findUniqueOrThrow({ where: { id }, omit: { passwordHash: true } })
    const counters = await db.spenderCount.findMany({ where: { spender: { accountId: id } } })
    print(`{\n"account": ${jsonLine(account)},\n"counters": ${jsonLine(counters)}`)
    for (const part of PARTS) {
      print(`,\n"${part.name}": [`)
      let isFirst = true
      for await (const row of rowsOf(db, part, part.of === 'email' ? account.email : id)) {
        print(isFirst ? row : `,${row}`)
        isFirst = false
      }
      print(']')
    }
    print('}')
  },
}

/**
 * A value as one line of JSON, integers as text and every control character escaped: `JSON.stringify` leaves the second set
 * of them (ECMA-48 §5.3), which a terminal obeys, and strangers wrote some of the texts.
 */
function jsonLine(value: unknown): string {
  const json = JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one))
  return json.replace(/\p{C}/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}

/** The rows of a part as JSON, a page at a time: integers as text, for some are larger than a JSON number may be. */
async function* rowsOf(db: Database, part: Part, owner: string): AsyncGenerator<string> {
  const raw = Prisma.raw
  const type = raw(part.keyType)
  const columns = raw(part.columns.map((column) => (isInteger(column) ? `${column}::text` : column)).join(', '))
  const isOwned = part.of === 'email' ? Prisma.sql`email = ${owner}` : Prisma.sql`account_id = ${owner}::uuid`
  let isNext = Prisma.empty
  for (;;) {
    // By "#key", which is as it is stored: "id" would be the text that stands beside it, which orders 10 before 9.
    const page: { key: string; row: Record<string, unknown> }[] = await db.$queryRaw`
      SELECT "#key"::text AS key, to_jsonb(owned) - '#key' AS row FROM (
        SELECT ${raw(part.key)} AS "#key", ${columns} FROM ${raw(part.table)}
        WHERE ${isOwned} ${isNext} ORDER BY "#key" LIMIT ${PAGE_ROWS}::int
      ) owned ORDER BY "#key"`
    for (const { row } of page) yield jsonLine(row)
    const last = page.at(-1)
    if (!last || page.length < PAGE_ROWS) return
    isNext = Prisma.sql`AND ${raw(part.key)} > ${last.key}::${type}`
  }
}

/** Ids of messages and amounts of money. */
function isInteger(column: string): boolean {
  return column === 'id' || column === 'message_id' || column.endsWith('_micros')
}

/** A cascade through everything that an account with a million messages owns. */
const DELETE_TIMEOUT_MS = 15 * 60_000

/** `delete`: ends an account and removes everything it owns. */
export const deleteAccount: Command = {
  usage: 'delete EMAIL [--confirm EMAIL]',
  summary: 'End an account at once and remove everything it owns; nothing of it comes back, so `export` it first',
  options: ['confirm'],
  statementMs: DELETE_TIMEOUT_MS,
  async run(context, args, { confirm }) {
    const { db, print } = context
    const { id, email } = await accountOf(context, args[0])
    if (confirm !== email) throw new CommandError(`This cannot be undone. Say it with --confirm ${email}.`)
    const upstream = await db.upstreamAccount.findUnique({ where: { accountId: id }, select: { lastFour: true } })
    // Everything ends first, in a moment: from then on nobody gets in and nothing is sent, however long the rest takes.
    await accountTransaction(db, async (tx) => {
      await lockAccount(tx, id)
      await tx.account.update({ where: { id }, data: { status: 'disabled' } })
      await endAccess(tx, id)
    })
    await removeRows(context, { id, email })
    print('Deleted, with everything it owned.')
    if (upstream?.lastFour) {
      print(`Its token at VertexSMS, last four ${upstream.lastFour}, goes on there until it is deleted there.`)
    }
  },
}

/** The account's row takes what refers to it with it (`ON DELETE CASCADE`); the rest is found by account or address. */
async function removeRows(
  { db }: CommandContext,
  { id: accountId, email }: { readonly id: string; readonly email: string },
): Promise<void> {
  await db.$transaction(
    async (tx) => {
      await tx.oidcArtifact.deleteMany({ where: { accountId } })
      await tx.accessRequest.deleteMany({ where: { email } })
      await tx.passwordRequest.deleteMany({ where: { email } })
      await tx.passwordLink.deleteMany({ where: { email } })
      await tx.account.deleteMany({ where: { id: accountId } })
    },
    { timeout: DELETE_TIMEOUT_MS },
  )
}
