import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { aiCatalog, LIVE, llmsText, registryEntry, serverCard, serverCardUrl } from '../src/discovery.ts'

const root = new URL('../../../', import.meta.url)
const httpsUrl = z.url({ protocol: /^https$/ }).max(255)

/** What the schema 2025-12-11 of the official registry asks of an entry with remotes alone; members of ours, and no others. */
const entrySchema = z.strictObject({
  $schema: z.literal('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json'),
  name: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: z
    .string()
    .max(255)
    .regex(/^\d+\.\d+\.\d+$/),
  websiteUrl: httpsUrl,
  icons: z.array(
    z.strictObject({
      src: httpsUrl,
      mimeType: z.enum(['image/png', 'image/jpeg', 'image/jpg', 'image/svg+xml', 'image/webp']),
      sizes: z.array(z.string().regex(/^(\d+x\d+|any)$/)),
    }),
  ),
  remotes: z
    .array(
      z.strictObject({
        type: z.literal(['streamable-http', 'sse']),
        url: httpsUrl,
        headers: z.array(
          z.strictObject({ name: z.string(), description: z.string(), isRequired: z.boolean(), isSecret: z.boolean() }),
        ),
      }),
    )
    .min(1),
})

describe('server.json', () => {
  const entry = registryEntry(LIVE, '0.1.0')

  test('is an entry of the official registry (schema 2025-12-11), with the version of this repository', () => {
    const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
    const written = JSON.parse(readFileSync(new URL('server.json', root), 'utf8'))
    expect(entrySchema.parse(written)).toEqual(registryEntry(LIVE, version))
  })

  test.each([
    ['a description of 101 characters', { description: 'x'.repeat(101) }],
    ['a name without a domain', { name: 'vertexsms' }],
    ['a range of versions', { version: '^0.1.0' }],
    ['an address without TLS', { remotes: [{ ...entry.remotes[0], url: 'http://mcp.vertexsms.com/mcp' }] }],
  ])('is not taken with %s', (_name, change) => {
    expect(entrySchema.safeParse({ ...entry, ...change }).success).toBe(false)
  })

  test('stands under the domain of its address, and says that the token is a secret nobody must give', () => {
    const { hostname } = new URL(LIVE.mcp)
    expect(hostname.split('.').slice(-2).reverse().join('.')).toBe(entry.name.split('/')[0])
    expect(entry.remotes[0]?.headers).toEqual([expect.objectContaining({ isRequired: false, isSecret: true })])
  })
})

test('the catalogue leads to the card, and the card to the endpoint, of whatever installation it is', () => {
  const own = { ...LIVE, issuer: 'http://localhost:4000', mcp: 'http://localhost:4001/some/mcp/' }
  expect(aiCatalog(own).entries.map(({ url }) => url)).toEqual(['http://localhost:4001/some/mcp/server-card'])
  expect(serverCardUrl(LIVE.mcp)).toBe('https://mcp.vertexsms.com/mcp/server-card')
  expect(serverCard(own, '1.0.0').remotes).toEqual([{ type: 'streamable-http', url: own.mcp }])
})

test('llms.txt names every reference by its full address, of this installation alone', () => {
  const text = llmsText({ ...LIVE, issuer: 'http://a.test', mcp: 'http://b.test/mcp', api: 'http://c.test' })
  const links = [...text.matchAll(/\]\((\S+)\)/g)].map(([, url]) => url)
  expect(links).toEqual([
    'http://a.test/connect',
    'http://b.test/tools.md',
    'http://c.test/reference.md',
    'http://c.test/openapi.json',
    'http://c.test/errors.md',
  ])
  expect(text).not.toContain('vertexsms.com')
})
