import { describe, expect, it } from 'vitest'
import { clientLabel, createLogger } from '../src/logger.ts'

function capture() {
  const lines: string[] = []
  const logger = createLogger({ service: 'test', level: 'debug', destination: { write: (line) => lines.push(line) } })
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') }
}

const secrets = {
  token: `vsms_${'a'.repeat(43)}`,
  jwt: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl',
  number: '+37069912345',
  bare: '37069912345',
  mail: 'person@example.test',
  text: 'Your code is 482913',
}

describe('the log', () => {
  it('keeps the members it knows', () => {
    const { logger, last } = capture()
    logger.info({ route: '/sms/:id', method: 'POST', status: 200, durationMs: 12, reason: 'code_replay' }, 'request')
    expect(last()).toMatchObject({
      level: 'info',
      service: 'test',
      route: '/sms/:id',
      method: 'POST',
      status: 200,
      durationMs: 12,
      reason: 'code_replay',
      msg: 'request',
    })
  })

  it('names a client by the host of its document, or by how its id begins', () => {
    const id = 'o-8GhiAw_mnHsbeftg7oNO7VrK171ArGwAK7xbZvQra'
    expect([clientLabel('https://app.example/client.json'), clientLabel(id)]).toEqual(['app.example', 'o-8GhiAw_mnH'])
  })

  it('keeps an id of ours whatever digits it holds', () => {
    const { logger, last } = capture()
    const connectionId = '12345678-1234-4123-8123-123456789012'
    logger.error({ event: 'token_reuse', connectionId }, 'a token came a second time')
    expect(last()).toMatchObject({ level: 'error', event: 'token_reuse', connectionId })
  })

  it.each(Object.entries(secrets))('drops a %s under any member that is not known', (_kind, value) => {
    const { logger, lines } = capture()
    logger.info({ anything: value, body: { value }, headers: { authorization: value }, url: `/x?t=${value}` }, 'event')
    logger.child({ anything: value, event: 'x', deep: { value } }).info('event')
    expect(lines.join('')).not.toContain(value)
  })

  it.each(Object.entries(secrets))('withholds a %s put under a known member', (_kind, value) => {
    const { logger, lines } = capture()
    logger.info({ reason: value, clientId: value, connectionId: value, tool: value, route: value }, 'event')
    logger.child({ reason: value }).info('event')
    expect(lines.join('')).not.toContain(value)
    expect(lines[0]).toContain('[withheld]')
  })

  it.each(Object.entries(secrets))(
    'takes no line of a message for a place, whatever it looks like, that quotes a %s',
    (_kind, value) => {
      const { logger, lines, last } = capture()
      const message = `no JSON: "\n    at ${value}:\n    at read (${value})"`
      logger.error({ err: new SyntaxError(message) }, 'failed')
      expect(last().err.at[0]).toMatch(/logger\.test\.ts/)
      // Its message is not always how its stack begins.
      const renamed = Object.assign(new Error(message), { name: 'Renamed' })
      logger.error({ err: renamed }, 'failed')
      const changed = new Error(message)
      changed.message = 'something else'
      logger.error({ err: changed }, 'failed')
      expect(lines.join('')).not.toContain(value)
    },
  )

  it.each(Object.entries(secrets))('writes an error without its message when that quotes a %s', (_kind, value) => {
    const { logger, lines, last } = capture()
    const error = Object.assign(new TypeError(`cannot read ${value}\n  at fake ${value}`), {
      code: 'E_READ',
      extra: value,
    })
    logger.error(error)
    logger.error({ err: error })
    logger.error({ err: error }, error.message)
    logger.error({ err: error }, `failed: ${error.message}`)
    logger.error({ err: error }, 'failed')
    logger.error({ err: { message: value } }, 'failed')
    expect(lines.join('')).not.toContain(value)
    expect(JSON.parse(lines[4] ?? '')).toMatchObject({ msg: 'failed', err: { name: 'TypeError', code: 'E_READ' } })
    expect(JSON.parse(lines[4] ?? '').err.at[0]).toMatch(/logger\.test\.ts/)
    expect(last().err).toEqual({ name: 'object' })
  })
})
