// A client made from the reference by generators that know nothing of this repository, and its calls.
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { fetchProgram } from '../support/npx-program.ts'
import { newRound } from '../support/ten-calls.ts'

const run = promisify(execFile)
const stack = inject('stack')
/** The generator needs the compiler's programming interface, which the version that checks this repository has not. */
const PACKAGES = ['openapi-typescript@7.13.0', 'openapi-fetch@0.17.0', 'typescript@5.9.3']
const generator = await fetchProgram(PACKAGES, 'openapi-typescript')
if (generator === null && process.env.CI) throw new Error('The generator of clients cannot be fetched here.')
if (generator === null) console.log('e2e: no generator of clients can be fetched by npx: its tests are skipped.')

const CALLS = fileURLToPath(new URL('../support/generated-calls.txt', import.meta.url))
const CONFIG = {
  compilerOptions: {
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    types: [],
    module: 'nodenext',
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    outDir: 'out',
  },
}

/** Calls that the document does not describe. */
const WRONG = {
  'a route that is not there': `client.GET('/nothing')`,
  'a member of another type': `client.POST('/sms', { body: { to: [], from: 'VertexDemo', message: 'Hello' } })`,
  'a member that is missing': `client.POST('/sms', { body: { to: '+37060000001' } })`,
  'a query parameter that it does not take': `client.GET('/rates', { params: { query: { page: '1' } } })`,
  'a code of no catalogue': `client.GET('/token').then(({ error }) => error?.code === 'OTHER')`,
}

const WRONG_FILES = Object.keys(WRONG).map((_one, index) => `wrong${index}.ts`)

function wrongSource(call: string): string {
  return `import createClient from 'openapi-fetch'
import type { paths } from './api.js'
const client = createClient<paths>({ baseUrl: '' })
export const answer = ${call}
`
}

describe.skipIf(generator === null)('a client generated from /openapi.json', () => {
  let folder = ''
  let told = ''
  const tool = (name: string, ...args: string[]) => {
    if (generator === null) throw new Error('There is no generator.')
    const script = join(dirname(generator.script), name)
    return run(generator.node, [script, ...args], { cwd: folder })
  }

  beforeAll(async () => {
    if (generator === null) return
    folder = mkdtempSync(join(tmpdir(), 'generated-client-'))
    symlinkSync(dirname(dirname(generator.script)), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...CONFIG, files: ['calls.ts', ...WRONG_FILES] }))
    const document = await fetch(`${stack.apiUrl}/openapi.json`)
    writeFileSync(join(folder, 'openapi.json'), await document.text())
    await tool('openapi-typescript', 'openapi.json', '--output', 'api.d.ts')
    cpSync(CALLS, join(folder, 'calls.ts'))
    for (const [index, call] of Object.values(WRONG).entries())
      writeFileSync(join(folder, WRONG_FILES[index] ?? ''), wrongSource(call))
    // Once for right and wrong calls: what is wrong fails it, and is emitted all the same.
    told = await tool('tsc').then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    )
  })
  afterAll(() => {
    if (folder !== '') rmSync(folder, { recursive: true, force: true })
  })

  test('type-checks strictly, and its calls pass with the types that it was given', async () => {
    const faults = told.split('\n').filter((line) => line.includes('error TS'))
    expect(faults.filter((line) => !WRONG_FILES.some((file) => line.startsWith(`${file}(`)))).toEqual([])
    const { recipient } = newRound(7)
    const { stdout } = await run(process.execPath, ['out/calls.js'], {
      cwd: folder,
      env: { ...process.env, API_URL: stack.apiUrl, TOKEN: stack.token, RECIPIENT: recipient },
    })
    const calls = JSON.parse(stdout)
    expect(calls).toMatchObject({
      countries: ['LT'],
      corrected: '+37060000001',
      id: expect.stringMatching(/^\d{18}$/),
      again: calls.id,
      replayed: 'true',
      status: { id: calls.id },
      refused: [401, 'TOKEN_INVALID'],
      invalid: [400, 'SEND_REFUSED'],
    })
    expect(calls.networks).toBeGreaterThan(0)
  })

  test('lets nothing through that the reference does not have', () => {
    const caught = Object.keys(WRONG).filter((_one, index) => told.includes(`${WRONG_FILES[index]}(4,`))
    expect(caught).toEqual(Object.keys(WRONG))
  })
})
