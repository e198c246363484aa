import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  ConfigurationError,
  databaseEnv,
  keySchema,
  onOffSchema,
  portSchema,
  publicUrlSchema,
  readEnv,
  secondsSchema,
  secretSchema,
  serviceEnv,
  trustProxySchema,
  urlSchema,
} from '../src/env.ts'

const folder = mkdtempSync(join(tmpdir(), 'env-'))
afterAll(() => rmSync(folder, { recursive: true }))

const schema = z.object({
  A_PORT: portSchema.default(4000),
  A_URL: urlSchema,
  A_KEY: keySchema,
  A_SECRET: secretSchema,
  A_SWITCH: onOffSchema.default(false),
  A_SECONDS: secondsSchema.default(600),
})
const key = Buffer.alloc(32, 7).toString('base64url')
const good = { A_URL: 'http://localhost:4000/', A_KEY: key, A_SECRET: 's'.repeat(32) }

function problems(source: Record<string, string>): string[] {
  try {
    readEnv(schema, source)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
  }
  return []
}

describe('a public URL', () => {
  it.each(['https://tool.vertexsms.com', 'http://localhost:4001/mcp', 'http://127.0.0.1:4000', 'http://[::1]:4000'])(
    'may be %s',
    (url) => {
      expect(publicUrlSchema.parse(`${url}/`)).toBe(url)
    },
  )

  it.each([
    'http://tool.vertexsms.com',
    'http://localhost.example.com',
    'http://10.0.0.1',
    'ftp://localhost',
    'nonsense',
  ])('may not be %s (OAuth 2.1 §1.5)', (url) => {
    expect(publicUrlSchema.safeParse(url).success).toBe(false)
  })
})

describe('the environment', () => {
  it('is read into typed values with defaults', () => {
    expect(readEnv(schema, good)).toEqual({
      A_PORT: 4000,
      A_URL: 'http://localhost:4000',
      A_KEY: new Uint8Array(32).fill(7),
      A_SECRET: 's'.repeat(32),
      A_SWITCH: false,
      A_SECONDS: 600,
    })
  })

  it('names every wrong and missing variable at once and never a value', () => {
    const secret = 'hunter2-hunter2'
    const error = (() => {
      try {
        return readEnv(schema, { A_PORT: '70000', A_URL: `ftp://${secret}`, A_SECRET: secret, A_SWITCH: secret })
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(ConfigurationError)
    const { message } = error as ConfigurationError
    for (const name of ['A_PORT', 'A_URL', 'A_KEY: is not set', 'A_SECRET', 'A_SWITCH']) expect(message).toContain(name)
    expect(message).not.toContain(secret)
    expect(message).not.toContain('70000')
  })

  it('takes a value from the file that NAME_FILE names', () => {
    const file = join(folder, 'secret')
    writeFileSync(file, `${'f'.repeat(40)}\n`)
    const { A_SECRET: _, ...rest } = good
    expect(readEnv(schema, { ...rest, A_SECRET_FILE: file }).A_SECRET).toBe('f'.repeat(40))
  })

  it('refuses NAME and NAME_FILE together, and a file that cannot be read', () => {
    expect(problems({ ...good, A_SECRET_FILE: '/nowhere' })).toEqual([
      'A_SECRET_FILE: set together with A_SECRET; choose one',
    ])
    const { A_SECRET: _, ...rest } = good
    expect(problems({ ...rest, A_SECRET_FILE: join(folder, 'absent') })).toEqual(['A_SECRET_FILE: cannot be read'])
  })

  it('counts an empty variable as unset', () => {
    expect(readEnv(schema, { ...good, A_PORT: '' }).A_PORT).toBe(4000)
    expect(problems({ ...good, A_KEY: '' })).toEqual(['A_KEY: is not set'])
  })

  it.each([
    ['A_PORT', '-1'],
    ['A_PORT', '4000x'],
    ['A_PORT', '65536'],
    ['A_URL', 'localhost:4000'],
    ['A_URL', 'http://user:pw@host'],
    ['A_URL', 'http://host/?q=1'],
    ['A_URL', 'http://host/#f'],
    ['A_URL', 'http://host/?'],
    ['A_KEY', 'short'],
    ['A_KEY', `${key}AA`],
    ['A_SECRET', 'short'],
    ['A_SECRET', `${'s'.repeat(31)} s`],
    ['A_SWITCH', 'true'],
    ['A_SECONDS', '1.5'],
    ['A_SECONDS', '1e3'],
  ])('refuses %s=%s', (name, value) => {
    expect(problems({ ...good, [name]: value })).toHaveLength(1)
  })

  it.each([
    ['off', false],
    ['2', 2],
    ['10.0.0.0/8, ::1', '10.0.0.0/8, ::1'],
  ])('reads TRUST_PROXY=%s', (value, expected) => {
    expect(trustProxySchema.parse(value)).toBe(expected)
  })

  it.each(['on', 'true', '0', '*'])('refuses TRUST_PROXY=%s, which would trust everybody', (value) => {
    expect(trustProxySchema.safeParse(value).success).toBe(false)
  })

  it('refuses a database URL of another kind without repeating it', () => {
    const all = z.object({ ...serviceEnv, ...databaseEnv })
    expect(() => readEnv(all, { DATABASE_URL: 'mysql://u:hunter2@h/d' })).toThrow(ConfigurationError)
    expect(() => readEnv(all, { DATABASE_URL: 'mysql://u:hunter2@h/d' })).not.toThrow(/hunter2/)
    expect(readEnv(all, { DATABASE_URL: 'postgresql://h/d' })).toMatchObject({ HOST: '127.0.0.1', RATE_LIMITS: true })
  })
})
