import { Validator } from '@seriousme/openapi-schema-validator'
import { type OpenApiDocument, openApiDocument } from '@vertexsms/contract/openapi'
import { anchorOf } from '@vertexsms/contract/reference'
import { ROUTES } from '@vertexsms/contract/routes'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { undocumented } from './support/documented.ts'
import { startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const get = (path: string) => world.node.call(`GET ${path}`)

describe('the reference of the API', () => {
  test('is an OpenAPI 3.1 document by an independent validator, and a broken one is not', async () => {
    const { status, headers, body } = await get('/openapi.json')
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
    expect(body).toEqual(openApiDocument('http://localhost:4002', body.info.version))
    expect(await new Validator().validate(structuredClone(body))).toMatchObject({ valid: true })
    const broken = structuredClone(body)
    delete broken.paths['/sms'].post.responses['200'].description
    expect(await new Validator().validate(broken)).toMatchObject({ valid: false })
  })

  test('names every function once, and every name that it refers to is there', async () => {
    const { body } = await get('/openapi.json')
    const operations = Object.values((body as OpenApiDocument).paths).flatMap((path) => Object.values(path))
    expect(operations).toHaveLength(Object.keys(ROUTES).length)
    expect(new Set(operations.map((one) => one.operationId)).size).toBe(operations.length)
    for (const [, name] of JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(Object.keys(body.components.schemas)).toContain(name)
    }
  })

  test('is read by people as a page without scripts, and as Markdown', async () => {
    const page = await get('/reference')
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(page.body).not.toMatch(/<script|style="|undefined|\[object/)
    const markdown = await get('/reference.md')
    expect(markdown.body).not.toMatch(/undefined|\[object/)
    expect(markdown.body).toContain('Address: `http://localhost:4002`.')
    for (const name of Object.keys(ROUTES).filter((one) => !one.endsWith('/'))) {
      expect(markdown.body).toContain(`### ${name}`)
      const link = `<a href="#${anchorOf(name)}">${name}</a>`
      expect(page.body).toContain(`<h3 id="${anchorOf(name)}">${link}</h3>`)
      // Once more among the contents.
      expect(page.body.split(link)).toHaveLength(3)
    }
  })

  test('leads nowhere that is not there: every link within it, and each heading is one place', async () => {
    const { body } = await get('/reference')
    const places = [...body.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(places).size).toBe(places.length)
    const links = [...body.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id)
    expect(links.length).toBeGreaterThan(places.length)
    for (const link of links) expect(places).toContain(link)
  })

  test('tells what every parameter and every member means', async () => {
    const { body: markdown } = await get('/reference.md')
    const rows = [...(markdown as string).matchAll(/^\| `(\S+)` \| (.*?) \| (.*?) ?\|$/gm)]
    expect(rows.length).toBeGreaterThan(150)
    expect(rows.filter(([, , type, meaning]) => !type || !meaning).map(([row]) => row)).toEqual([])
  })

  test('writes types as people read them: a list last, with its own length and not that of its entries', async () => {
    const { body: markdown } = await get('/reference.md')
    const both = 'string (at most 64 characters) or integer (at least 0) or list (1 to 100) of string or integer'
    expect(markdown).toContain(`| \`to\` | ${both}; required |`)
    expect(markdown).toContain('| `limits.maxPerDay` | amount; may be left out |')
  })

  test('shows for every body an example that the sandbox takes as it stands', async () => {
    const { paths } = (await get('/openapi.json')).body as OpenApiDocument
    const { body: markdown } = await get('/reference.md')
    const shown = [...(markdown as string).matchAll(/\n\nFor example:\n\n```json\n(.+)\n```\n/g)].map(([, text = '']) =>
      JSON.parse(text),
    )
    const bodies = Object.entries(paths).flatMap(([path, { post }]) =>
      post?.requestBody === undefined ? [] : [{ path, body: post.requestBody.content['application/json']?.example }],
    )
    expect(shown).toEqual(bodies.map(({ body }) => body))
    expect(bodies.length).toBeGreaterThan(5)
    const { token } = await world.makeAccount()
    for (const { path, body } of bodies) {
      const answer = await world.node.call(`POST ${path.replace('{id}', '1')}`, { token, body })
      // The PIN is well formed, and there is no such number.
      const [status, code] = path.includes('{id}') ? [404, 'NOT_FOUND'] : [200, undefined]
      expect([path, answer.status, answer.body.code]).toEqual([path, status, code])
    }
  })

  test('tells the headers of an answer', async () => {
    const { body: markdown } = await get('/reference.md')
    expect(markdown).toContain('`x-vertexsms-amount-sent`: Parts charged.')
  })

  test('shows people every form of a body that has several, each with its own members', async () => {
    const { schemas } = (await get('/openapi.json')).body.components
    const { body: markdown } = await get('/reference.md')
    const forms = Object.values(schemas).flatMap((schema) => (schema as { oneOf?: object[] }).oneOf ?? [])
    expect(forms.length).toBeGreaterThan(1)
    for (const form of forms as { properties: Record<string, { const?: string }> }[]) {
      const [name, { const: value }] = Object.entries(form.properties).find(([, one]) => 'const' in one) ?? ['', {}]
      const [, table = ''] = markdown.split(`**Body, where \`${name}\` is \`${value}\`.**\n\n`)
      const [rows = ''] = table.split('\n\n')
      const shown = [...rows.matchAll(/^\| `(\w+)`/gm)].map(([, member]) => member)
      expect(shown).toEqual(Object.keys(form.properties))
    }
    const { body: page } = await get('/reference')
    expect(page).toContain('<strong>Body, where <code>type</code> is <code>MSISDN</code>.</strong>')
  })

  test('takes no method but GET', async () => {
    expect((await world.node.call('POST /openapi.json')).status).toBe(405)
  })
})

describe('an answer that is not as documented is noticed', () => {
  const operation = () => {
    const found = openApiDocument('http://localhost:4002', '0.0.0').paths['/sms']?.post
    if (found === undefined) throw new Error('no such operation')
    return found
  }
  const json = { 'content-type': 'application/json; charset=utf-8' }
  const error = (code: string, rest = {}) => JSON.stringify({ message: 'No.', code, error_code: null, ...rest })
  test.each([
    ['sound', 200, json, '["1"]', undefined],
    ['another status', 418, json, '["1"]', 'the status 418'],
    ['another media type', 200, { 'content-type': 'text/plain' }, '["1"]', "the media type 'text/plain'"],
    ['another shape', 200, json, '[1]', '200'],
    ['a header of another shape', 200, { ...json, 'x-vertexsms-amount-sent': 'two' }, '["1"]', 'the header'],
    ['a sound refusal', 400, json, error('INVALID_INPUT'), undefined],
    ['a code of another status', 400, json, error('TOKEN_INVALID'), '400'],
    ['a code of no catalogue', 400, json, error('OTHER'), '400'],
    ['a member too many', 400, json, error('INVALID_INPUT', { hint: 'x' }), '400'],
    ['details of another code', 403, json, error('PRICE_UNKNOWN', { details: { reason: 'not_mobile' } }), '403'],
  ])('%s', (_name, status, headers, body, problem) => {
    const told = undocumented(operation(), { status, headers, body })
    if (problem === undefined) expect(told).toBeUndefined()
    else expect(told).toContain(problem)
  })
})

describe('the query of a route', () => {
  const call = (path: string) => world.node.call(`GET ${path}`, { token: world.token })

  test('may write the names of its parameters in any case', async () => {
    const page = (await call('/mccmnc/IN?Page=2')).body
    for (const name of ['page', 'PAGE', 'pAge']) expect((await call(`/mccmnc/IN?${name}=2`)).body).toEqual(page)
    expect((await call('/rates/?FORMAT=csv')).headers.get('content-type')).toBe('text/csv; charset=utf-8')
  })

  test.each([
    ['/token?verbose=1', "no query parameter 'verbose'. It takes none."],
    ['/rates?Page=1', "no query parameter 'Page'. It takes 'format' and 'country'."],
    ['/mccmnc/LT?format=json', "no query parameter 'format'. It takes 'Page'."],
    ['/operators/1?wait=1', "no query parameter 'wait'. It takes none."],
    ['/rates?37060000001=x', 'no such query parameter'],
    [`/rates?${'a'.repeat(30)}=x`, 'no such query parameter'],
    ['/rates?__proto__=x', 'no such query parameter'],
    ['/rates?=json', 'no such query parameter'],
    ['/mccmnc/LT?Page=1&page=2', "'Page' stands twice"],
    ['/rates?format=json&format=csv', "'format' stands twice"],
    ['/rates?format=xml', "field 'format': json or csv"],
    ['/rates?country=Lithuania', "field 'country': a two-letter ISO 3166-1 country code expected, for example LT."],
    ['/hlr/1?wait=long', "field 'wait'"],
  ])('is refused with words that say what it takes: %s', async (path, words) => {
    const { status, body } = await call(path)
    expect([status, body.code]).toEqual([400, 'INVALID_INPUT'])
    expect(body.message).toContain(words)
  })

  test.each(['at', 'AT', 'access_token', 'token', 'api_key'])(
    'never carries a token, which is neither echoed nor logged: %s',
    async (name) => {
      const node = await world.startNode()
      for (const request of ['GET /token', 'GET /rates', 'DELETE /sms/1', 'GET /nothing', 'PUT /sms']) {
        const answer = await node.call(`${request}?${name}=${world.token}`, { token: world.token })
        expect(JSON.stringify([answer.body, [...answer.headers]])).not.toContain(world.token)
        if (answer.status === 404 || answer.status === 405) continue
        expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_INPUT'])
        expect(answer.body.message).toContain('does not belong in the address')
      }
      await node.close()
      expect(node.lines.join('\n')).not.toContain(world.token)
    },
  )

  test('filters prices by country, as JSON and as CSV', async () => {
    const all = (await call('/rates')).body as { CountryCode: string }[]
    for (const country of ['LT', 'lt']) {
      const { body } = await call(`/rates?country=${country}`)
      expect(body).toEqual(all.filter(({ CountryCode }) => CountryCode === 'LT'))
    }
    const csv = (await call('/rates/?country=LT&format=csv')).body as string
    expect(csv.trimEnd().split('\r\n')).toHaveLength(all.filter(({ CountryCode }) => CountryCode === 'LT').length + 1)
    expect((await call('/rates?country=ZZ')).body).toEqual([])
  })
})
