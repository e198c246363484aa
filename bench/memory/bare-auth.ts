// A bare bundle of the libraries of the authorization server: all are loaded, each that has a state is used once, and there is
// not a page or rule of ours. What it keeps in memory is what the product cannot go below.
import { fastifyCompress } from '@fastify/compress'
import { fastifyCookie } from '@fastify/cookie'
import { fastifyStatic } from '@fastify/static'
import * as webauthn from '@simplewebauthn/server'
import { createDatabase } from '@vertexsms/db/client'
import { Eta } from 'eta'
import fastify from 'fastify'
import ipaddr from 'ipaddr.js'
import * as jose from 'jose'
import { LRUCache } from 'lru-cache'
import { pino } from 'pino'
import { Agent } from 'undici'
import * as z from 'zod'
import { createLibrary } from '../auth/library.ts'

/** Named, so that nothing of them is left out of the bundle. */
export const libraries = [fastifyCompress, fastifyStatic, webauthn, Eta, ipaddr, jose, LRUCache, Agent, z]

const db = createDatabase({ url: process.env.DATABASE_URL ?? '' })
await db.account.count()
const app = fastify({ loggerInstance: pino({ level: 'warn' }) })
await app.register(fastifyCookie)
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', (_request, _body, done) => done(null))
let handle: ReturnType<typeof createLibrary> | undefined
app.get('/healthz', async () => ({ status: 'ok' }))
app.all('/*', (request, reply) => {
  reply.hijack()
  handle?.(request.raw, reply.raw)
})
await app.listen({ host: '127.0.0.1', port: 0 })
const address = app.server.address()
if (address === null || typeof address === 'string') throw new Error('no port')
handle = createLibrary(`http://localhost:${address.port}`)
console.log(`listening ${address.port}`)
process.once('SIGTERM', () => process.exit(0))
