import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase } from '@vertexsms/db/client'
import { deriveApiKeys } from '@vertexsms/secrets/derived-keys'
import { imageOf } from './bundle.ts'
import type { BenchDatabase } from './database.ts'
import { MCP_RESOURCE_URL } from './issuer.ts'
import { imageEnvironment, imageNodeOptions } from './ours.ts'
import { freePort, type Started, type StartOptions, start } from './process.ts'

/** The account that a run signs in with, and its token made by hand. */
export interface Credentials {
  readonly email: string
  readonly password: string
  readonly token: string
}

/** The two services that have a database, as one installation has them. */
export class Installation {
  readonly #database: BenchDatabase
  readonly #operatorKey = randomBytes(32)
  #issuer = 'http://localhost:4000'

  constructor(database: BenchDatabase) {
    this.#database = database
  }

  /** The authorization server from the image's bundle, rate limits off. */
  async startAuth(how: Partial<StartOptions> = {}): Promise<Started> {
    const port = await freePort()
    this.#issuer = `http://localhost:${port}`
    return this.#start('auth', port, how, {
      AUTH_PORT: String(port),
      OPERATOR_KEY: this.#operatorKey.toString('base64url'),
      MCP_RESOURCE_URL,
      DATABASE_URL: this.#database.serviceUrl('vertexsms_auth'),
      OUTBOUND_ALLOW_LOCALHOST: 'on',
    })
  }

  /** The REST API from the image's bundle, rate limits off. */
  async startApi(how: Partial<StartOptions> = {}): Promise<Started> {
    const port = await freePort()
    return this.#start('api', port, how, {
      API_PORT: String(port),
      EDGE_SECRET: randomBytes(32).toString('base64url'),
      API_KEYS: deriveApiKeys(this.#operatorKey),
      DATABASE_URL: this.#database.serviceUrl('vertexsms_api'),
    })
  }

  /** Makes the demo account with the operator's command of the image. */
  makeAccount(node: string): Credentials {
    const folder = mkdtempSync(join(tmpdir(), 'vertexsms-bench-account-'))
    const file = join(folder, 'credentials.json')
    execFileSync(node, [join(imageOf('auth'), 'cli.js'), 'seed-demo', '--credentials', file], {
      env: { PATH: process.env.PATH, DATABASE_URL: this.#database.url },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const credentials = JSON.parse(readFileSync(file, 'utf8')) as Credentials
    rmSync(folder, { recursive: true })
    return credentials
  }

  /** So many like the one there is, of the same password; their email addresses. */
  async copyAccount(count: number): Promise<string[]> {
    const db = createDatabase({ url: this.#database.url, poolSize: 1 })
    const made = await db.$queryRaw<{ email: string }[]>`
      WITH made AS (
        INSERT INTO account SELECT (jsonb_populate_record(a, jsonb_build_object(
          'id', gen_random_uuid(), 'email', 'bench' || n || '@example.com'))).*
        FROM account a, generate_series(1, ${count}::int) n RETURNING id, email),
      spenders AS (
        INSERT INTO spender SELECT (jsonb_populate_record(s, jsonb_build_object('id', made.id, 'account_id', made.id))).*
        FROM spender s, made WHERE s.id = s.account_id)
      SELECT email FROM made`
    await db.$disconnect()
    return made.map(({ email }) => email)
  }

  #start(app: 'auth' | 'api', port: number, how: Partial<StartOptions>, env: Record<string, string>): Promise<Started> {
    return start({
      script: join(imageOf(app), 'server.js'),
      plain: true,
      ...how,
      nodeArguments: how.nodeArguments ?? imageNodeOptions(),
      port,
      env: {
        HOST: '127.0.0.1',
        ISSUER_URL: this.#issuer,
        RATE_LIMITS: 'off',
        LOG_LEVEL: 'warn',
        ...env,
        ...(how.env ?? imageEnvironment()),
      },
    })
  }
}
