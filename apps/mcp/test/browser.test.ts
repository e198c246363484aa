import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
let origin: string
beforeAll(async () => {
  stack = await startStack()
  origin = new URL(stack.url).origin
})
afterAll(() => stack.close())

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const ask = (path: string, accept: string | null, init: RequestInit = {}) =>
  fetch(origin + path, { ...init, headers: { ...(accept !== null && { accept }) } })

describe('an address of the MCP server opened in a browser', () => {
  it.each(['/mcp', '/mcp/', '/', '/nothing'])(
    '%s explains itself and links on, with the status and the challenge that programs get (RFC 9110 §12.5.1)',
    async (path) => {
      const seen = await ask(path, BROWSER)
      const program = await ask(path, 'application/json, text/event-stream')
      expect(seen.status).toBe(program.status)
      expect(seen.headers.get('www-authenticate')).toBe(program.headers.get('www-authenticate'))
      expect(seen.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(seen.headers.get('vary')).toBe('Accept, Accept-Language')
      expect(seen.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
      const html = await seen.text()
      expect(html).toMatch(/href="[^"]*\/connect"/)
      expect(html).toContain('/mcp</code>')
      expect(html).toContain(`<code>${seen.headers.get('x-request-id')}</code>`)
      expect(program.headers.get('content-type')).toContain('application/json')
      expect(() => JSON.parse(html)).toThrow()
    },
  )

  it.each([null, '*/*', 'application/json', 'application/json, text/html', 'text/html;q=0.5, application/json', ''])(
    'stays the envelope for a program that accepts %s',
    async (accept) => {
      const answer = await ask('/mcp', accept)
      expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/json; charset=utf-8'])
      expect(await answer.json()).toHaveProperty('error')
    },
  )

  it.each([
    ['lt-LT,lt;q=0.9,en;q=0.8', 'lt', 'Adresas DI programoms', 'Kaip prijungti kiekvieną programą'],
    ['en-GB,lt;q=0.9', 'en', 'An address for AI clients', 'How to connect each client'],
    ['fr', 'en', 'An address for AI clients', 'How to connect each client'],
  ])('speaks as a browser that prefers %s wants: %s', async (preferred, language, title, link) => {
    const headers = { accept: BROWSER, 'accept-language': preferred }
    const seen = await fetch(`${origin}/mcp`, { headers })
    expect(seen.headers.get('content-language')).toBe(language)
    const html = await seen.text()
    for (const part of [`<html lang="${language}">`, `<h1>${title}</h1>`, `>${link}</a>`]) expect(html).toContain(part)
  })

  it('stays the envelope for whatever is posted', async () => {
    const answer = await ask('/mcp', BROWSER, { method: 'POST', body: '{}' })
    expect(answer.headers.get('content-type')).toContain('application/json')
  })
})
