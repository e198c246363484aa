import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const folders: string[] = []

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** What a run of these files by a vitest of its own leaves behind for CI. */
function sumOf(files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'vertexsms-sum-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const reporter = join(ROOT, 'scripts/ci/sum.ts')
  const { status } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, '--globals', `--reporter=${reporter}`],
    { cwd: folder, env: { PATH: process.env.PATH, CI_SUM_DIR: folder }, encoding: 'utf8' },
  )
  const read = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : undefined)
  return { status, count: read('count'), files: read('files'), failures: read('failures') }
}

describe('the sum of a run in CI', () => {
  test('names whatever failed, tests or not, with the first lines of its error', () => {
    const { status, count, files, failures } = sumOf({
      'a.test.js': `
        describe('a sum', () => {
          test('is right', () => {})
          test.skip('is left out', () => {})
          test('is wrong', () => expect({ sum: 3 }).toEqual({ sum: 4 }))
          describe('of what cannot start', () => {
            beforeAll(() => { throw new Error('no ground') })
            test('is never looked at', () => {})
          })
        })`,
      'b.test.js': `import './nowhere.js'`,
    })
    expect({ status, count }).toEqual({ status: 1, count: '1 3 2\n' })
    expect(files?.trim().split('\n').sort()).toEqual(['a.test.js', 'b.test.js'])
    expect(failures).toMatch(
      /^FAILED a\.test\.js: a sum > is wrong\n {4}AssertionError: expected .*\n(.*\n)*? {4}\+ .*"sum": 3/m,
    )
    expect(failures).toMatch(/^FAILED a\.test\.js: a sum > of what cannot start \(its hooks\)\n {4}Error: no ground\n/m)
    expect(failures).toMatch(/^FAILED b\.test\.js: does not load, or its hooks fail\n {4}Error: .*nowhere\.js/m)
  })

  test('counts an error outside of any test as one failure, though every test passed', () => {
    const { status, count, failures } = sumOf({
      'a.test.js': `test('passes', async () => {
        Promise.reject(new Error('nobody waits for this'))
        await new Promise((resolve) => setImmediate(resolve))
      })`,
    })
    expect({ status, count }).toEqual({ status: 1, count: '1 1 0\n' })
    expect(failures).toMatch(
      /^FAILED Unhandled Rejection outside of any test while a\.test\.js ran.*\n {4}Error: nobody waits for this\n {8}at .*a\.test\.js:2/,
    )
  })

  test('names nothing where nothing failed', () => {
    expect(sumOf({ 'a.test.js': `test('passes', () => {})` })).toEqual({
      status: 0,
      count: '1 0 0\n',
      files: 'a.test.js\n',
      failures: undefined,
    })
  })
})
