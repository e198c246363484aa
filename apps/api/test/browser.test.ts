import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const ask = (path: string, accept: string) => fetch(world.node.url + path, { headers: { accept } })

describe('an address of the API opened in a browser', () => {
  test.each(['/', '/token', '/rates?country=LT', '/no/such/route'])(
    '%s explains itself and links on, with the status and the challenge that programs get (RFC 9110 §12.5.1)',
    async (path) => {
      const seen = await ask(path, BROWSER)
      const program = await ask(path, '*/*')
      expect(seen.status).toBe(program.status)
      expect(seen.headers.get('www-authenticate')).toBe(program.headers.get('www-authenticate'))
      expect(seen.headers.get('content-type')).toBe('text/html; charset=utf-8')
      const html = await seen.text()
      for (const way of ['href="/reference"', '/connect#rest"', '/settings/api"']) expect(html).toContain(way)
      expect(Object.keys(await program.json()).sort()).toEqual(['code', 'error_code', 'message'])
    },
  )

  test.each([
    ['lt', 'Adresas programoms', 'Susikurti API raktą'],
    ['en', 'An address for programs', 'Make an API token'],
  ])('speaks as a browser wants that prefers %s', async (language, title, link) => {
    const headers = { accept: BROWSER, 'accept-language': language }
    const seen = await fetch(`${world.node.url}/token`, { headers })
    expect([seen.headers.get('content-language'), seen.headers.get('vary')]).toEqual([
      language,
      'Accept, Accept-Language',
    ])
    const html = await seen.text()
    for (const part of [`<html lang="${language}">`, `<h1>${title}</h1>`, `>${link}</a>`]) expect(html).toContain(part)
  })

  test('that answers stays what it is', async () => {
    expect((await ask('/reference', BROWSER)).status).toBe(200)
    expect(await (await ask('/reference', BROWSER)).text()).not.toContain('An address for programs')
  })
})
