// One route of the API without the guard before it: the same server, the same look at one row of a token, the same answer.
import { createDatabase } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { createHttp } from '@vertexsms/service/http'
import { createLogger } from '@vertexsms/service/logger'

const { ANSWER = '{}', DATABASE_URL = '', PORT } = process.env
const db = createDatabase({ url: DATABASE_URL })
const app = createHttp({
  service: 'api',
  logger: createLogger({ service: 'api', level: 'warn' }),
  trustProxy: false,
  bodyLimitBytes: 65_536,
  requestTimeoutMs: 15_000,
  ready: async () => true,
})
app.addHook('onRequest', async (_request, reply) => {
  reply.header('cache-control', 'no-store')
})
const { id, operator } = JSON.parse(ANSWER) as { readonly id: number; readonly operator: unknown }
const operators = new Map([[id, operator]])
app.get('/operators/:id', async (request) => {
  const hash = hashToken(String(request.headers['x-vertexsms-token']))
  await db.$queryRaw`
    SELECT t.id, t.account_id, t.permissions, t.ip_allow_list, t.expires_at, a.status::text, c.ended_at, database_now()
    FROM api_token t JOIN account a ON a.id = t.account_id LEFT JOIN connection c ON c.id = t.connection_id
    WHERE t.token_hash = ${hash}`
  return operators.get(Number((request.params as { id: string }).id))
})
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)))
