// A bare bundle of the libraries of the REST API: all are loaded, and one route reads one row. See bare-auth.ts.
import { createDatabase } from '@vertexsms/db/client'
import fastify from 'fastify'
import ipaddr from 'ipaddr.js'
import * as jose from 'jose'
import phone from 'libphonenumber-js/max'
import { LRUCache } from 'lru-cache'
import networks from 'mcc-mnc-list'
import { pino } from 'pino'
import { Agent } from 'undici'
import * as z from 'zod'

/** Named, so that nothing of them is left out of the bundle. */
export const libraries = [phone, networks, ipaddr, jose, LRUCache, Agent, z]

const db = createDatabase({ url: process.env.DATABASE_URL ?? '' })
await db.apiToken.count()
const app = fastify({ loggerInstance: pino({ level: 'warn' }) })
app.get('/healthz', async () => ({ status: 'ok' }))
app.get('/*', async () => ({ account: (await db.apiToken.findFirst())?.accountId, permissions: [] }))
await app.listen({ host: '127.0.0.1', port: 0 })
const address = app.server.address()
if (address && typeof address === 'object') console.log(`listening ${address.port}`)
process.once('SIGTERM', () => process.exit(0))
