import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redirectUriMatches, redirectUriProblem } from '../src/authorization/clients/redirect-uris.ts'
import { canonicalResource } from '../src/authorization/request/parameters.ts'
import { register, start } from './support/client.ts'
import { MCP_RESOURCE, type Stack, startStack } from './support/stack.ts'

// `PROPERTY_RUNS=10000` runs in full; the default is a sample. The oracle knows nothing of our parsing: it asks the
// platform's URL parser, which is what browsers and clients go by, and accepts only what that reads as harmless.
const RUNS = Number(process.env.PROPERTY_RUNS ?? 2000)
const SETTINGS = { numRuns: RUNS, seed: 20_261_122 }
const DOOR_RUNS = Math.min(100, Math.ceil(RUNS / 40))

const REGISTERED = [
  'https://app.example/cb',
  'http://127.0.0.1/cb',
  'http://[::1]:3000/cb',
  'http://localhost:8080/cb',
  'cursor://auth/cb',
]

const piece = fc.constantFrom(
  'app.example',
  'evil.example',
  '127.0.0.1',
  'localhost',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '0x7f.1',
  '2130706433',
  '127.1',
  '@',
  ':',
  '//',
  '/',
  '\\',
  '/cb',
  'cb',
  '..',
  '%2e',
  '%2f',
  '%40',
  '?',
  '#',
  '*',
  '.',
  ' ',
  '\t',
  '\r\n',
  '\0',
  '\u0430',
  '\uff0e',
  ':80',
  ':443',
  ':3000',
  ':99999',
  ':8080',
  'user',
  'a=b',
  ';',
  ',',
  '%00',
  '%',
  'X',
)
const scheme = fc.constantFrom(
  'https:',
  'http:',
  'HTTP:',
  'cursor:',
  'javascript:',
  'data:',
  'file:',
  'ftp:',
  '',
  'https',
  'ht\ttp:',
  ' https:',
)
const mutated = fc
  .tuple(fc.constantFrom(...REGISTERED, MCP_RESOURCE), fc.nat(40), piece, fc.boolean())
  .map(([base, at, part, replace]) => {
    const index = at % (base.length + 1)
    return base.slice(0, index) + part + base.slice(index + (replace ? part.length : 0))
  })
const assembled = fc.tuple(scheme, fc.array(piece, { maxLength: 7 })).map(([start, parts]) => start + parts.join(''))
const ported = fc
  .tuple(
    fc.constantFrom('127.0.0.1', '[::1]', 'localhost', 'evil.example'),
    fc.nat(70_000),
    fc.constantFrom('/cb', '/cb/', '/cb?x', '/other', ''),
  )
  .map(([host, port, path]) => `http://${host}:${port}${path}`)
const address = fc.oneof(
  mutated,
  assembled,
  ported,
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.string(),
)

const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost']

/** What a registered address may look like to a browser. */
function harmless(uri: string): boolean {
  if (!URL.canParse(uri)) return false
  const url = new URL(uri)
  if (url.username || url.password || url.hash || uri.includes('*') || uri.includes('#')) return false
  if (url.protocol === 'https:') return !LOOPBACK.includes(url.hostname) && url.host !== ''
  if (url.protocol === 'http:') return LOOPBACK.includes(url.hostname)
  return !['javascript:', 'data:', 'file:', 'ftp:', 'blob:', 'about:', 'vbscript:', 'ws:', 'wss:'].includes(
    url.protocol,
  )
}

/** Whether a browser sent to `uri` arrives where one of the registered addresses points. */
function arrives(uri: string): boolean {
  if (REGISTERED.includes(uri)) return true
  if (!URL.canParse(uri)) return false
  const url = new URL(uri)
  if (url.protocol !== 'http:' || !LOOPBACK.includes(url.hostname) || url.username || url.password || url.hash)
    return false
  return REGISTERED.some((known) => {
    const target = new URL(known)
    return (
      target.protocol === 'http:' &&
      target.hostname === url.hostname &&
      target.pathname === url.pathname &&
      target.search === url.search
    )
  })
}

describe(`over ${RUNS} generated addresses`, () => {
  it('no redirect URI is registered that a browser reads as something else (RFC 9700 §4.1.3)', () => {
    fc.assert(
      fc.property(address, (uri) => redirectUriProblem(uri) !== null || harmless(uri)),
      SETTINGS,
    )
  })

  it('no redirect URI matches that leads elsewhere, and without the rule of localhost none there but the very same (RFC 8252 §7.3)', () => {
    fc.assert(
      fc.property(address, (uri) => {
        const loose = redirectUriMatches(REGISTERED, uri, { anyLocalhostPort: true })
        const strict = redirectUriMatches(REGISTERED, uri, { anyLocalhostPort: false })
        const isLocalhost = URL.canParse(uri) && new URL(uri).hostname === 'localhost'
        return (!loose || arrives(uri)) && strict === (isLocalhost ? REGISTERED.includes(uri) : loose)
      }),
      SETTINGS,
    )
  })

  it('every port of a loopback address matches, as real clients need (RFC 8252 §7.3)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('127.0.0.1', '[::1]', 'localhost'),
        fc.integer({ min: 1, max: 65_535 }),
        (host, port) => redirectUriMatches(REGISTERED, `http://${host}:${port}/cb`, { anyLocalhostPort: true }),
      ),
      SETTINGS,
    )
  })

  it('no resource passes for ours that names another place (RFC 8707 §2)', () => {
    fc.assert(
      fc.property(address, (value) => {
        const accepted = canonicalResource(value, MCP_RESOURCE)
        if (accepted === null) return true
        const [given, known] = [new URL(value), new URL(MCP_RESOURCE)]
        return (
          accepted === MCP_RESOURCE &&
          given.origin === known.origin &&
          given.pathname.replace(/\/$/, '') === known.pathname &&
          !given.search &&
          !given.hash &&
          !given.username &&
          !given.password
        )
      }),
      SETTINGS,
    )
  })

  it('the resource itself, with a slash or an upper-case host, always passes (RFC 8707 §2)', () => {
    const cases = fc.tuple(fc.mixedCase(fc.constant('http://localhost:4001')), fc.constantFrom('/mcp', '/mcp/'))
    fc.assert(
      fc.property(cases, ([origin, path]) => canonicalResource(origin + path, MCP_RESOURCE) === MCP_RESOURCE),
      SETTINGS,
    )
  })
})

describe(`through the door, over ${DOOR_RUNS} generated addresses`, () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack()
  })
  afterAll(() => stack?.close())

  it('the browser is never sent to an address that was not registered (RFC 9700 §4.11)', {
    timeout: 120_000,
  }, async () => {
    const client = await register(stack, { redirect_uris: [...REGISTERED] })
    const property = fc.asyncProperty(address, async (uri) => {
      const flow = await start(client, { redirect_uri: uri, scope: 'nothing-known' })
      const response = await fetch(flow.url, { redirect: 'manual' })
      const location = response.headers.get('location')
      await response.text()
      if (location === null) return response.status === 400
      const target = new URL(location)
      target.search = ''
      return target.origin === stack.issuer || arrives(uri) || REGISTERED.includes(target.href)
    })
    await fc.assert(property, { ...SETTINGS, numRuns: DOOR_RUNS })
    expect(DOOR_RUNS).toBeGreaterThan(0)
  })
})
