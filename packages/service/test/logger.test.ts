import { describe, expect, it } from 'vitest'
import { createLogger } from '../src/logger.ts'

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
    logger.info({ route: '/sms/:id', method: 'POST', status: 200, durationMs: 12, code: 'TOKEN_INVALID' }, 'request')
    expect(last()).toMatchObject({
      level: 'info',
      service: 'test',
      route: '/sms/:id',
      method: 'POST',
      status: 200,
      durationMs: 12,
      code: 'TOKEN_INVALID',
      msg: 'request',
    })
  })

  it.each(Object.entries(secrets))('drops a %s under any member that is not known', (_kind, value) => {
    const { logger, lines } = capture()
    logger.info({ anything: value, body: { value }, headers: { authorization: value }, url: `/x?t=${value}` }, 'event')
    logger.child({ anything: value, code: 'x', deep: { value } }).info('event')
    expect(lines.join('')).not.toContain(value)
  })

  it.each(Object.entries(secrets))('withholds a %s put under a known member', (_kind, value) => {
    const { logger, lines } = capture()
    logger.info({ reason: value, code: value, host: value, route: value }, 'event')
    logger.child({ reason: value }).info('event')
    expect(lines.join('')).not.toContain(value)
    expect(lines[0]).toContain('[withheld]')
  })

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
