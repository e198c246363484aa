// The first lines of a script, run as a person pastes them, against a running API.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type QuickStart, quickStart, tokenCommand } from '@vertexsms/contract/quick-start'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type World } from './support/world.ts'

const run = promisify(execFile)
const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')

const has = (program: string) => spawnSync(program, ['--version']).status === 0

let world: World
let folder: string
beforeAll(async () => {
  world = await startWorld()
  folder = mkdtempSync(join(tmpdir(), 'quick-start-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await world.close()
})

/** What one of them prints, with this token. */
async function printed(id: QuickStart['id'], token: string): Promise<string> {
  const start = quickStart(world.node.url).find((one) => one.id === id)
  if (start === undefined) throw new Error(`there is no ${id}`)
  if (start.place !== 'Terminal') writeFileSync(join(folder, start.place), start.text)
  const { stdout } = await run('bash', ['-c', `${tokenCommand(token)}\n${start.run}`], { cwd: folder })
  return stdout
}

describe('the quick start', () => {
  test('stands in the README as it is made, for the addresses of the demo', () => {
    expect(README).toContain(`\n${tokenCommand()}\n`)
    for (const { text } of quickStart('http://localhost:4002')) expect(README).toContain(`\n${text}\n`)
  })

  test('tells the prices of the country', async () => {
    const rates = JSON.parse(await printed('prices', world.token)) as { CountryCode: string }[]
    expect(rates.length).toBeGreaterThan(0)
    expect(new Set(rates.map(({ CountryCode }) => CountryCode))).toEqual(new Set(['LT']))
  })

  test.for(['curl', 'node', 'python'] as const)('sends in %s, once however often it is run', async (id, { skip }) => {
    if (id === 'python' && !has('python3')) skip('there is no python3')
    const { accountId, token } = await world.makeAccount()
    const first = await printed(id, token)
    expect(first).toMatch(/["']\d+["']/)
    expect(await printed(id, token)).toBe(first)
    const sent = await world.db.message.findMany({ where: { accountId }, select: { recipient: true } })
    expect(sent).toEqual([{ recipient: '37060000001' }])
  })

  test('says why a token was not good', async () => {
    expect(await printed('curl', 'vsms_nobody')).toContain('"code":"TOKEN_INVALID"')
    expect(await printed('node', 'vsms_nobody')).toContain('401')
  })

  test('needs of a token what it says', async () => {
    for (const { id, needs } of quickStart(world.node.url).filter(({ language }) => language === 'curl')) {
      const { token } = await world.makeToken({ permissions: [needs] })
      expect(await printed(id, token)).not.toContain('"code"')
    }
  })
})
