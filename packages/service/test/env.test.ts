import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  ConfigurationError,
  databaseEnv,
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
  A_KEY: secretSchema,
  A_SECRET: secretSchema,
  A_SWITCH: onOffSchema.default(false),
  A_SECONDS: secondsSchema(0, 300).default(60),
})
const key = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7)).toString('base64url')
const secret = 'abcdefgh'.repeat(4)
const good = { A_URL: 'http://localhost:4000/', A_KEY: key, A_SECRET: secret }

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
      A_KEY: key,
      A_SECRET: secret,
      A_SWITCH: false,
      A_SECONDS: 60,
    })
  })

  it('names every wrong and missing variable at once and never a value', () => {
    const hidden = 'hunter2-hunter2'
    const error = (() => {
      try {
        return readEnv(schema, { A_PORT: '70000', A_URL: `ftp://${hidden}`, A_SECRET: hidden, A_SWITCH: hidden })
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(ConfigurationError)
    const { message } = error as ConfigurationError
    for (const name of ['A_PORT', 'A_URL', 'A_KEY: is not set', 'A_SECRET', 'A_SWITCH']) expect(message).toContain(name)
    expect(message).not.toContain(hidden)
    expect(message).not.toContain('70000')
  })

  it('takes a value from the file that NAME_FILE names', () => {
    const file = join(folder, 'secret')
    writeFileSync(file, `${secret}of-the-file\n`)
    const { A_SECRET: _, ...rest } = good
    expect(readEnv(schema, { ...rest, A_SECRET_FILE: file }).A_SECRET).toBe(`${secret}of-the-file`)
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
    ['A_SECRET', 'short'],
    ['A_SECRET', `${secret} s`],
    ['A_SECRET', 's'.repeat(64)],
    ['A_SECRET', 'changeme'.repeat(5)],
    ['A_SECONDS', '-1'],
    ['A_SECONDS', '301'],
    ['A_SECONDS', '315360000'],
    ['A_URL', 'http://HOST'],
    ['A_URL', 'http://host:80'],
    ['A_URL', 'http://host/a/../b'],
    ['A_URL', ' http://host'],
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
    ['192.0.2.7', '192.0.2.7'],
    ['fc00::/7,172.16.0.0/12', 'fc00::/7,172.16.0.0/12'],
  ])('reads TRUST_PROXY=%s', (value, expected) => {
    expect(trustProxySchema.parse(value)).toBe(expected)
  })

  it.each(['on', 'true', '0', '*', '0.0.0.0/0', '::/0', '10.0.0.0/8,0.0.0.0/0', '0.0.0.0/1', '2000::/3'])(
    'refuses TRUST_PROXY=%s, which would trust everybody',
    (value) => {
      expect(trustProxySchema.safeParse(value).success).toBe(false)
    },
  )

  it.each(['10', '99', '-1', '1.5', 'a', 'abc', '10.0', '10.0.0', '10/8', '010.0.0.1', '10.0.0.1:80', '10.0.0.1/33'])(
    'refuses TRUST_PROXY=%s, which is neither a number of proxies nor an address',
    (value) => {
      expect(trustProxySchema.safeParse(value).success).toBe(false)
    },
  )

  it.each(['10.0.0.1/8/8', '10.0.0.1,', ',', '10.0.0.1 10.0.0.2', '::1%lo', '::1/129', 'loopback', 'proxy.example'])(
    'refuses TRUST_PROXY=%s, which is no list of addresses',
    (value) => {
      expect(trustProxySchema.safeParse(value).success).toBe(false)
    },
  )

  it('says what was expected, and what a secret that repeats or serves twice lacks', () => {
    expect(problems({ ...good, A_SECONDS: '315360000' })).toEqual([
      'A_SECONDS: must be a whole number of seconds from 0 to 300',
    ])
    expect(problems({ ...good, A_SECRET: 's'.repeat(40) })).toEqual([
      'A_SECRET: must be random; this one repeats a few characters',
    ])
    expect(problems({ ...good, A_SECRET: key })).toEqual([
      'A_SECRET: is the same as A_KEY; each must have a value of its own',
    ])
  })

  it('tells an empty secret file from one that is not there', () => {
    const file = join(folder, 'empty')
    writeFileSync(file, '\n')
    const { A_SECRET: _, ...rest } = good
    expect(problems({ ...rest, A_SECRET_FILE: file })).toEqual(['A_SECRET_FILE: the file is empty'])
  })

  it.each(['localhost:4000', 'http://localhost', '0.0.0.0/0', '*', 'a b', '256.0.0.1.'])(
    'refuses HOST=%s, which cannot be listened on',
    (HOST) => {
      expect(() => readEnv(z.object(serviceEnv), { HOST })).toThrow(/HOST: must be an IP address or a host name/)
    },
  )

  it.each(['0.0.0.0', '::', '::1', 'localhost', 'mcp.internal'])('takes HOST=%s', (HOST) => {
    expect(readEnv(z.object(serviceEnv), { HOST }).HOST).toBe(HOST)
  })

  it('refuses a database URL of another kind without repeating it', () => {
    const all = z.object({ ...serviceEnv, ...databaseEnv })
    expect(() => readEnv(all, { DATABASE_URL: 'mysql://u:hunter2@h/d' })).toThrow(ConfigurationError)
    expect(() => readEnv(all, { DATABASE_URL: 'mysql://u:hunter2@h/d' })).not.toThrow(/hunter2/)
    expect(readEnv(all, { DATABASE_URL: 'postgresql://h/d' })).toMatchObject({ HOST: '127.0.0.1', RATE_LIMITS: true })
  })
})
