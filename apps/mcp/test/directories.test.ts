// What the directories of Claude and ChatGPT ask of a server's tools, as a checklist.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerOf } from './support/read.ts'
import { modern, post, type Stack, startStack } from './support/stack.ts'

interface Listed {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly annotations?: Readonly<Record<string, unknown>>
  readonly inputSchema: {
    readonly type?: string
    readonly properties?: Readonly<Record<string, { description?: string }>>
  }
}

const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const
const NAME_MAX_CHARACTERS = 64

/** What a reviewer would send the tool back for. */
function faults({ name, title, description, annotations = {}, inputSchema }: Listed): string[] {
  const { readOnlyHint, destructiveHint } = annotations
  const checks: [boolean, string][] = [
    [/^[a-zA-Z0-9_-]+$/.test(name) && name.length <= NAME_MAX_CHARACTERS, 'its name has other characters or too many'],
    [title !== undefined && title !== '' && title !== name, 'it has no title for people'],
    [description !== undefined && description.length >= 20, 'it does not say what it does'],
    [HINTS.every((hint) => typeof annotations[hint] === 'boolean'), 'a hint is not explicit'],
    [readOnlyHint !== true || destructiveHint === false, 'it is read-only and destructive at once'],
    [inputSchema.type === 'object', 'it takes no object'],
    [
      Object.values(inputSchema.properties ?? {}).every((one) => (one.description ?? '') !== ''),
      'an argument has no description',
    ],
  ]
  return checks.filter(([good]) => !good).map(([, fault]) => fault)
}

let stack: Stack
let tools: Listed[]
beforeAll(async () => {
  stack = await startStack({ env: { DISCOVERY: 'on' } })
  tools = (await answerOf(await post(stack.url, stack.manualToken(), modern('tools/list')))).result.tools
})
afterAll(() => stack.close())

describe('the list of tools, for a directory', () => {
  it('has no fault in any of the ten', () => {
    expect(tools.map((tool) => [tool.name, faults(tool)])).toEqual(tools.map(({ name }) => [name, []]))
    expect(tools).toHaveLength(10)
    expect(new Set(tools.map(({ title }) => title)).size).toBe(10)
  })

  it('would be sent back for each thing that is asked', () => {
    const [tool] = tools
    if (tool === undefined) throw new Error('no tools')
    const changed: [Partial<Listed>, string][] = [
      [{ name: 'x'.repeat(65) }, 'its name has other characters or too many'],
      [{ title: tool.name }, 'it has no title for people'],
      [{ description: '' }, 'it does not say what it does'],
      [{ annotations: { ...tool.annotations, openWorldHint: undefined } }, 'a hint is not explicit'],
      [
        { annotations: { ...tool.annotations, readOnlyHint: true, destructiveHint: true } },
        'it is read-only and destructive at once',
      ],
      [{ inputSchema: { type: 'object', properties: { x: {} } } }, 'an argument has no description'],
    ]
    for (const [change, fault] of changed) expect(faults({ ...tool, ...change })).toEqual([fault])
  })
})

describe('what may be read before connecting', () => {
  it('is a catalogue that leads to the card and the card to the endpoint, to any origin', async () => {
    const origin = new URL(stack.url).origin
    const catalog = await fetch(`${origin}/.well-known/ai-catalog.json`)
    expect([catalog.status, catalog.headers.get('content-type')]).toEqual([
      200,
      'application/ai-catalog+json; charset=utf-8',
    ])
    expect(catalog.headers.get('access-control-allow-origin')).toBe('*')
    const [entry] = (await catalog.json()).entries
    const card = await fetch(origin + new URL(entry.url).pathname)
    expect([card.status, card.headers.get('content-type')]).toEqual([
      200,
      'application/mcp-server-card+json; charset=utf-8',
    ])
    expect((await card.json()).remotes[0].url).toBe(entry.url.replace('/server-card', ''))
  })

  it('is not there where it was not switched on, for both are drafts; the tools as Markdown always are', async () => {
    const quiet = await startStack()
    const origin = new URL(quiet.url).origin
    for (const path of ['/.well-known/ai-catalog.json', '/mcp/server-card']) {
      expect((await fetch(origin + path)).status).toBe(404)
    }
    const page = await fetch(`${origin}/tools.md`)
    expect(page.headers.get('content-type')).toBe('text/markdown; charset=utf-8')
    expect(await page.text()).toContain('## send_sms')
    await quiet.close()
  })
})
