import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { quickStart, tryCommand } from '../src/quick-start.ts'

// What an address may hold and stay in its usual form (WHATWG URL §4.3), all of it meant for somebody's shell or quotation.
const ODD = "https://sms.example.com/a'b;$(id)&!*|(x)/$HOME"
const PLAIN = 'https://sms.example.com'
const LOOPBACK = 'http://[::1]:4002'

const example = (api: string, id: string) => quickStart(api).find((one) => one.id === id)?.text ?? ''

/** What curl is given by the last word of a command, in a shell that would run whatever it finds. */
function called(command: string): string {
  const script = `curl() { printf '%s' "\${!#}"; }\nTOKEN=t\n${command}`
  return execFileSync('bash', ['-O', 'failglob', '-c', script], { encoding: 'utf8' })
}

describe.each([PLAIN, LOOPBACK, ODD])('with the address %s', (api) => {
  test('it is a usual form', () => expect(new URL(api).href.replace(/\/$/, '')).toBe(api))

  test('a shell hands the address on as it is, in every command', () => {
    expect(called(example(api, 'prices'))).toBe(`${api}/rates?country=LT`)
    expect(called(example(api, 'curl'))).toBe(`${api}/sms`)
    expect(called(tryCommand(api, 'vsms_x'))).toBe(`${api}/token`)
  })

  test('Node reads the address as it is', () => {
    const script = `globalThis.fetch = async (url) => (process.stdout.write(url), process.exit(0))\n${example(api, 'node')}`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(output).toBe(`${api}/sms`)
  })

  test('Python reads the address as it is: a quotation in which nothing means anything', () => {
    const [, literal = ''] = /urllib\.request\.Request\(\n\s+(.*),\n/.exec(example(api, 'python')) ?? []
    expect(JSON.parse(literal)).toBe(`${api}/sms`)
  })
})

test('no word is quoted that needs no quotation', () => {
  expect(tryCommand(PLAIN, 'vsms_x')).toBe('curl -H "Authorization: Bearer vsms_x" https://sms.example.com/token')
  expect(tryCommand(LOOPBACK, 'vsms_x')).toContain(" 'http://[::1]:4002/token'")
})
