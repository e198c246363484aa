import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isPossibleToken, lastFourOf, MANUAL_TOKEN_PREFIX, manualToken } from '@vertexsms/contract/api-token'
import { DEMO_FIRST_DAY_LIMIT_MICROS } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import { PERMISSIONS } from '@vertexsms/contract/permissions'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import type { Database } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { newSecret } from '@vertexsms/secrets/new-secret'
import * as z from 'zod'
import { accountTransaction, lockAccount } from '../accounts/account-lock.ts'
import { emailSchema } from '../accounts/email.ts'
import { createAccount } from '../accounts/new-account.ts'
import { hashPassword, verifyPassword } from '../accounts/password.ts'
import { PASSWORD_MIN_CHARS } from '../accounts/password-rules.ts'
import { createSpender, holdSpender, limitsOf, setRules } from '../connections/spenders.ts'
import { type Command, CommandError } from './command.ts'
import { readSeedEnv } from './env.ts'

const DEMO_EMAIL = 'demo@vertexsms.test'
const DEMO_TOKEN_NAME = 'Demo script'
const DEMO_SENDER = 'VertexDemo'

const credentialsSchema = z.object({
  email: emailSchema,
  password: z.string().min(PASSWORD_MIN_CHARS),
  token: z.string().startsWith(MANUAL_TOKEN_PREFIX).refine(isPossibleToken),
})
type Credentials = z.infer<typeof credentialsSchema>

/** `seed-demo`: makes the account and the API token of the demo, or leaves those that are there. */
export const seedDemo: Command = {
  usage: 'seed-demo [--credentials FILE]',
  summary: `Make the demo account, its token and a sender; run again it changes nothing. Credentials: FILE (made if absent) or JSON on standard input. With UPSTREAM=vertexsms it may spend ${toEurText(DEMO_FIRST_DAY_LIMIT_MICROS, 2)} EUR a day, until it first has a VertexSMS token`,
  options: ['credentials'],
  async run({ db, source, now, readInput, print }, _args, { credentials: file }) {
    const { UPSTREAM: upstream } = readSeedEnv(source)
    const credentials = file === undefined ? parse(await readInput()) : fromFile(file)
    const accountId = await seedAccount(db, credentials, now)
    const token = await seedToken(db, accountId, credentials.token, { mayReplace: file !== undefined, now })
    if (file !== undefined && token !== credentials.token) write(file, { ...credentials, token })
    await seedSender(db, accountId, now)
    if (upstream === 'vertexsms') await seedLimit(db, accountId)
    print('demo account ready')
  },
}

function parse(json: string): Credentials {
  try {
    return credentialsSchema.parse(JSON.parse(json))
  } catch {
    throw new CommandError(
      `The credentials are not JSON with email, password (${PASSWORD_MIN_CHARS} characters) and token (${MANUAL_TOKEN_PREFIX}...).`,
    )
  }
}

function fromFile(file: string): Credentials {
  if (existsSync(file)) return parse(onFile(() => readFileSync(file, 'utf8')))
  const password = randomBytes(15).toString('base64url')
  const credentials = { email: DEMO_EMAIL, password, token: manualToken(newSecret()) }
  write(file, credentials)
  return credentials
}

/** Renamed into place, so that a reader or a crash never meets half a file. */
function write(file: string, credentials: Credentials): void {
  const temporary = `${file}.${process.pid}.tmp`
  onFile(() => {
    writeFileSync(temporary, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 })
    chmodSync(temporary, 0o600)
    renameSync(temporary, file)
  })
}

/** What the system refuses is told of the file: nobody looks for it in the database. */
function onFile<T>(work: () => T): T {
  try {
    return work()
  } catch {
    throw new CommandError('The file of the credentials cannot be read or written.')
  }
}

async function seedAccount(db: Database, { email, password }: Credentials, now: Date): Promise<string> {
  const account = await db.account.findUnique({ where: { email } })
  if (!account) return createAccount(db, { email, passwordHash: await hashPassword(password), now })
  if (!(await verifyPassword(account.passwordHash, password))) {
    await db.account.update({ where: { id: account.id }, data: { passwordHash: await hashPassword(password) } })
  }
  return account.id
}

/** The demo token's value. A deleted value never comes back where a fresh one can be handed out instead. */
async function seedToken(
  db: Database,
  accountId: string,
  wanted: string,
  { mayReplace, now }: { mayReplace: boolean; now: Date },
): Promise<string> {
  if (await db.apiToken.findUnique({ where: { tokenHash: hashToken(wanted) } })) return wanted
  const wasSeeded = await db.senderId.count({ where: { accountId, name: DEMO_SENDER } })
  const value = mayReplace && wasSeeded > 0 ? manualToken(newSecret()) : wanted
  const id = randomUUID()
  await db.$transaction(async (tx) => {
    await tx.apiToken.create({
      data: {
        id,
        accountId,
        kind: 'manual',
        name: DEMO_TOKEN_NAME,
        tokenHash: hashToken(value),
        lastFour: lastFourOf(value),
        permissions: [...PERMISSIONS],
        ipAllowList: [],
        createdAt: now,
      },
    })
    await createSpender(tx, { kind: 'token', id, accountId }, NO_LIMITS, now)
  })
  return value
}

async function seedSender(db: Database, accountId: string, now: Date): Promise<void> {
  const name = { accountId, type: 'AlphaNumeric', name: DEMO_SENDER }
  await db.senderId.upsert({
    where: { accountId_type_name: name },
    update: {},
    create: { ...name, status: 'confirmed', category: 'Brand', categoryDescription: 'Demo', createdAt: now },
  })
}

/** The most a day that the account begins with, however much more it may spend; what its owner sets later stays. */
async function seedLimit(db: Database, accountId: string): Promise<void> {
  const maxPerDayMicros = DEMO_FIRST_DAY_LIMIT_MICROS
  await accountTransaction(db, async (tx) => {
    await lockAccount(tx, accountId)
    if ((await tx.upstreamAccount.count({ where: { accountId, generation: { gt: 0 } } })) > 0) return
    const spenderId = await holdSpender(tx, accountId, { kind: 'account', id: accountId })
    if (spenderId === null) throw new CommandError('The demo account has ended.')
    const row = await limitsOf(tx, spenderId)
    const isLower = row.maxPerDayMicros !== null && row.maxPerDayMicros <= maxPerDayMicros
    if (!isLower) await setRules(tx, spenderId, { maxPerDayMicros })
  })
}
