import { SCOPE_NAMES, SCOPES, scopeOfTool, TOOL_NAMES } from '@vertexsms/contract/scopes'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerOf } from './support/read.ts'
import { modern, post, type Stack, startStack } from './support/stack.ts'

interface ListedTool {
  name: string
  title: string
  description: string
  inputSchema: Schema
  outputSchema: Schema
  annotations: Record<string, unknown>
}
interface Schema {
  type?: string
  properties?: Record<string, Schema>
  description?: string
  [keyword: string]: unknown
}

/** Characters per token of JSON with English prose, on the careful side. */
const CHARACTERS_PER_TOKEN = 3.5
const LIST_TOKENS_MAX = 5_000

let stack: Stack
let tools: ListedTool[]
beforeAll(async () => {
  stack = await startStack()
  tools = (await answerOf(await post(stack.url, stack.manualToken(), modern('tools/list')))).result.tools
})
afterAll(() => stack.close())

describe('the list of tools', () => {
  it('holds the ten tools of the scope table in its order, the same on each request', async () => {
    expect(tools.map(({ name }) => name)).toEqual(TOOL_NAMES)
    const again = await answerOf(await post(stack.url, stack.manualToken('other', []), modern('tools/list')))
    expect(again.result.tools).toEqual(tools)
  })

  it('gives every tool exactly one scope and every scope a tool', () => {
    const covered = SCOPE_NAMES.flatMap((scope) => [...SCOPES[scope].tools])
    expect(covered.toSorted()).toEqual(tools.map(({ name }) => name).toSorted())
    expect(new Set(covered).size).toBe(covered.length)
    for (const scope of SCOPE_NAMES) expect(tools.some(({ name }) => scopeOfTool(name) === scope)).toBe(true)
  })

  it('takes every id in the type in which a tool returns it', () => {
    const types = (all: readonly Schema[], member: string): unknown[] => {
      const found = all.flatMap((schema): Schema[] => (schema.properties?.[member] ? [schema.properties[member]] : []))
      return [...new Set(found.map(({ type }) => type))]
    }
    const outputs = tools.map(({ outputSchema }) => outputSchema)
    const inputs = tools.map(({ inputSchema }) => inputSchema)
    for (const [returned, taken] of [
      ['lookup_id', 'lookupId'],
      ['sender_id', 'senderId'],
    ] as const) {
      expect(types(outputs, returned), returned).toHaveLength(1)
      expect(types(inputs, taken), taken).toEqual(types(outputs, returned))
    }
  })

  it('states all four hints, and calls no tool that costs money harmless (2026-07-28, server/tools)', () => {
    for (const { name, annotations } of tools) {
      for (const hint of ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint']) {
        expect(annotations[hint], `${name} ${hint}`).toBeTypeOf('boolean')
      }
    }
    const charged = tools.filter(({ name }) => SCOPES[scopeOfTool(name as never) ?? 'sms:send'].billable)
    expect(charged.map(({ name }) => name)).toEqual(['send_sms', 'lookup_hlr'])
    for (const { annotations } of charged) {
      expect(annotations).toMatchObject({ readOnlyHint: false, idempotentHint: false })
    }
    const send = tools.find(({ name }) => name === 'send_sms')?.annotations
    expect(send).toMatchObject({
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: true,
    })
  })

  it('has closed object schemas without a combinator or a reference at the top', () => {
    for (const { name, inputSchema, outputSchema } of tools) {
      for (const schema of [inputSchema, outputSchema]) {
        expect(schema.type, name).toBe('object')
        expect(schema.additionalProperties, name).toBe(false)
        for (const keyword of ['anyOf', 'oneOf', 'allOf', '$ref', 'if'])
          expect(schema, name).not.toHaveProperty(keyword)
      }
      expect(JSON.stringify(inputSchema), name).not.toContain('"$ref"')
    }
  })

  it('uses no keyword that strict clients refuse: no list of types, no format of URIs', () => {
    for (const { name, inputSchema, outputSchema } of tools) {
      for (const schema of [inputSchema, outputSchema]) {
        const text = JSON.stringify(schema)
        expect(text, name).not.toMatch(/"type":\[/)
        expect(text, name).not.toMatch(/"format":"uri/)
      }
    }
  })

  it('describes every argument, and says of the tools that cost money that they do', () => {
    for (const { name, title, description, inputSchema } of tools) {
      expect(title, name).toMatch(/^[A-Z]/)
      expect(description.length, name).toBeGreaterThan(60)
      for (const [argument, schema] of Object.entries(inputSchema.properties ?? {})) {
        expect(schema.description, `${name}.${argument}`).toMatch(/./)
      }
    }
    for (const scope of SCOPE_NAMES) {
      const costs = tools
        .filter(({ name }) => scopeOfTool(name) === scope)
        .some(({ description }) => /money|charged\./i.test(description))
      expect(costs, scope).toBe(SCOPES[scope].billable)
    }
  })

  it('marks nothing for headers, where phone numbers would end in logs', () => {
    expect(JSON.stringify(tools)).not.toContain('x-mcp-header')
  })

  it(`stays within ${LIST_TOKENS_MAX} tokens`, () => {
    const characters = JSON.stringify(tools).length
    const tokens = Math.ceil(characters / CHARACTERS_PER_TOKEN)
    process.stdout.write(`tools/list: ${characters} characters, about ${tokens} tokens\n`)
    expect(tokens).toBeLessThan(LIST_TOKENS_MAX)
  })

  it('has the public schemas that clients know', () => {
    for (const tool of tools) expect(tool).toMatchSnapshot(tool.name)
  })
})
