import { ConfigurationError } from '@vertexsms/service/env'
import { describe, expect, it } from 'vitest'
import { runCommandLine } from '../src/cli/run.ts'
import { readAuthEnv } from '../src/env.ts'

const key = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 5)).toString('base64url')
const sound = { DATABASE_URL: 'postgresql://h/d', OPERATOR_KEY: key }

function problems(changes: Record<string, string>): readonly string[] {
  try {
    readAuthEnv({ ...sound, ...changes })
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

describe('the settings', () => {
  it('are sound as they are documented', () => {
    expect(problems({})).toEqual([])
  })

  it.each([
    ['TRUST_PROXY', '10'],
    ['TRUST_PROXY', '0.0.0.0/0'],
    ['HOST', 'http://localhost'],
    ['LOG_LEVEL', 'INFO'],
    ['RATE_LIMITS', 'false'],
    ['ISSUER_URL', 'https://tool.example/path'],
    ['ISSUER_URL', 'https://user:password@tool.example'],
    ['ISSUER_URL', 'http://tool.example'],
    ['ISSUER_URL', 'https://Tool.example'],
    ['AUTH_PORT', '70000'],
    ['OPERATOR_KEY', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['REFRESH_OVERLAP_SECONDS', '315360000'],
    ['REFRESH_OVERLAP_SECONDS', '-30'],
    ['ACCESS_TOKEN_SECONDS', '0'],
    ['ACCESS_TOKEN_SECONDS', '86401'],
    ['AUTHORIZATION_CODE_SECONDS', '601'],
    ['REFRESH_TOKEN_SECONDS', '-1'],
    ['SESSION_SECONDS', '315360000'],
    ['INTERACTION_SECONDS', '0'],
    ['CONNECTION_SECONDS', '1e9'],
    ['OUTBOUND_ALLOW_LOCALHOST', 'yes'],
    ['MAIL_FROM', 'VertexSMS <connect@example.com>'],
    ['MAIL_FROM', 'connect@example.com\r\nBcc: spy@example.com'],
    ['OPERATOR_CONTACT', 'javascript:alert(1)'],
    ['OPERATOR_CONTACT', 'http://example.com'],
    ['OPERATOR_CONTACT', 'ask Ada'],
  ])('refuse %s=%s by its name alone, and never repeat it', (name, value) => {
    const found = problems({ [name]: value })
    expect(found).toEqual([expect.stringMatching(`^${name}: `)])
    if (value.length > 6) expect(found.join()).not.toContain(value)
  })

  it.each([
    ['REFRESH_OVERLAP_SECONDS', '0'],
    ['REFRESH_OVERLAP_SECONDS', '300'],
    ['ACCESS_TOKEN_SECONDS', '1'],
    ['ISSUER_URL', 'https://tool.example/'],
  ])('take %s=%s', (name, value) => {
    expect(problems({ [name]: value })).toEqual([])
  })

  it.each([
    'https://mail.example.com',
    'smtp://',
    'mail.example.com:587',
    'smtp://mail.example.com/path',
    'smtp://mail.example.com?tls=off',
    'smtp://user@mail.example.com',
    'smtp://mailer:canary@mail.example.com/x',
    'smtp://mailer:canary%zz@mail.example.com',
  ])('refuse the mail server %s, and never repeat it', (url) => {
    const found = problems({ SMTP_URL: url, MAIL_FROM: 'connect@example.com' })
    expect(found).toEqual([expect.stringMatching(/^SMTP_URL: must be smtps:/)])
    expect(found.join()).not.toContain('canary')
  })

  it('take a mail server with a sender, and not without one', () => {
    const SMTP_URL = 'smtps://mailer:pa%20ss@mail.example.com'
    expect(problems({ SMTP_URL, MAIL_FROM: 'connect@example.com' })).toEqual([])
    expect(problems({ SMTP_URL })).toEqual(['MAIL_FROM: is not set'])
    expect(problems({ MAIL_FROM: 'connect@example.com' })).toEqual([])
    const server = { host: 'mail.example.com', port: 465, isImplicit: true, needsTls: true }
    const read = readAuthEnv({ ...sound, SMTP_URL, MAIL_FROM: 'connect@example.com' })
    expect(read.SMTP_URL).toEqual({ ...server, user: 'mailer', password: 'pa ss' })
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      const local = readAuthEnv({ ...sound, SMTP_URL: `smtp://${host}:2525`, MAIL_FROM: 'connect@example.com' })
      expect(local.SMTP_URL).toMatchObject({ port: 2525, isImplicit: false, needsTls: false })
    }
  })

  it('name everything that is wrong at once', () => {
    const found = problems({ AUTH_PORT: 'x', OPERATOR_KEY: 'short', REFRESH_OVERLAP_SECONDS: '3153600' })
    expect(found.map((problem) => problem.split(':')[0]).sort()).toEqual([
      'AUTH_PORT',
      'OPERATOR_KEY',
      'REFRESH_OVERLAP_SECONDS',
    ])
  })
})

describe('an operator command', () => {
  async function operator(env: Record<string, string>) {
    const said: string[] = []
    const code = await runCommandLine(['accounts'], {
      env,
      readInput: async () => '',
      print: (line) => said.push(line),
      complain: (line) => said.push(line),
    })
    return { code, said: said.join('\n') }
  }

  it('names every wrong setting, without its value', async () => {
    const { code, said } = await operator({ DATABASE_URL: 'mysql://u:canary@h/d', ISSUER_URL: 'https://h/canary' })
    expect(code).toBe(1)
    expect(said).toMatch(/DATABASE_URL: must be.*\n\s+ISSUER_URL: must not have a path/)
    expect(said).not.toContain('canary')
  })

  it('says in a sentence that the database is not there', async () => {
    const { code, said } = await operator({ DATABASE_URL: 'postgresql://u:canary@127.0.0.1:1/d' })
    expect(code).toBe(1)
    expect(said).toMatch(/^The command failed: .* Is the database running, and DATABASE_URL right\?$/)
    expect(said).not.toMatch(/canary|\n|\bat /)
  })
})
