import { createHash, pbkdf2Sync, randomBytes } from 'node:crypto'
import { mac } from '@vertexsms/secrets/mac'
import pg from 'pg'
import { TIME_LIMITS, type TimeLimits } from './time-limits.ts'

/** A database user that one service connects as. */
export interface Login {
  readonly name: string
  readonly password: string
}

/** The three: migrations own the tables; the two services may do what the migrations grant them. */
export interface Logins {
  readonly migrate: Login
  readonly auth: Login
  readonly api: Login
}

/** What a login is a member of. The migrations grant to these, so that a login can be replaced without a migration. */
export const SERVICE_ROLES = { auth: 'vertexsms_auth', api: 'vertexsms_api' } as const

/** A name of {@link SERVICE_ROLES}. */
export type ServiceRole = (typeof SERVICE_ROLES)[keyof typeof SERVICE_ROLES]

const SCRAM_ITERATIONS = 4_096

/**
 * Makes the three logins, or gives those that exist the named passwords, and hands what is already there to the login
 * of the migrations. Whatever the services do ends within `limits`, also where a pooler does not pass on what a connection
 * is told. `url` is of a role that may do so, the cluster's owner as a rule. Running it again changes nothing.
 */
export async function prepareDatabase(
  url: string,
  { migrate, auth, api }: Logins,
  { statementMs, lockMs, idleInTransactionMs }: Omit<TimeLimits, 'connectMs'> = TIME_LIMITS,
): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const name = (text: string) => client.escapeIdentifier(text)
  try {
    await client.query('BEGIN')
    const exists = async (role: string) =>
      (await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role])).rowCount === 1
    for (const role of Object.values(SERVICE_ROLES)) {
      if (!(await exists(role))) await client.query(`CREATE ROLE ${name(role)} NOLOGIN`)
    }
    for (const login of [migrate, auth, api]) {
      const verb = (await exists(login.name)) ? 'ALTER' : 'CREATE'
      await client.query(
        `${verb} ROLE ${name(login.name)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '${scramVerifier(login.password)}'`,
      )
    }
    for (const service of [auth, api]) {
      await client.query(`ALTER ROLE ${name(service.name)} SET statement_timeout = ${statementMs}`)
      await client.query(`ALTER ROLE ${name(service.name)} SET lock_timeout = ${lockMs}`)
      await client.query(
        `ALTER ROLE ${name(service.name)} SET idle_in_transaction_session_timeout = ${idleInTransactionMs}`,
      )
    }
    await client.query(`GRANT ${name(SERVICE_ROLES.auth)} TO ${name(auth.name)}`)
    await client.query(`GRANT ${name(SERVICE_ROLES.api)} TO ${name(api.name)}`)
    await giveTo(client, migrate.name)
    await client.query('COMMIT')
  } finally {
    await client.end()
  }
}

/**
 * Tables and types of an installation that had one login for everything change hands. What has is left alone: to say it
 * again would lock every table at once, while services read and write them.
 */
async function giveTo(client: pg.Client, owner: string): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('ALTER %s %s OWNER TO %I', kind, name, $1::text) AS statement FROM (
       SELECT 'DATABASE' AS kind, quote_ident(datname) AS name, datdba AS owner FROM pg_database
         WHERE datname = current_database()
       UNION ALL SELECT 'SCHEMA', 'public', nspowner FROM pg_namespace WHERE nspname = 'public'
       UNION ALL SELECT 'TABLE', c.oid::regclass::text, c.relowner FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       UNION ALL SELECT 'TYPE', t.oid::regtype::text, t.typowner FROM pg_type t
         WHERE t.typnamespace = 'public'::regnamespace AND t.typtype = 'e'
       UNION ALL SELECT 'FUNCTION', p.oid::regprocedure::text, p.proowner FROM pg_proc p
         WHERE p.pronamespace = 'public'::regnamespace
     ) AS things WHERE pg_get_userbyid(owner) <> $1::text`,
    [owner],
  )
  for (const { statement } of rows) await client.query(statement)
}

/**
 * A password as PostgreSQL keeps it (RFC 5803, SCRAM-SHA-256): the server never sees the password itself, so no log of
 * statements can show it. Passwords here are of plain ASCII, which SASLprep (RFC 4013) leaves as it is.
 */
export function scramVerifier(password: string, salt: Uint8Array = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, 32, 'sha256')
  const stored = createHash('sha256').update(mac(salted, 'Client Key')).digest('base64')
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${Buffer.from(salt).toString('base64')}$${stored}:${mac(salted, 'Server Key').toString('base64')}`
}
