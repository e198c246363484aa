import type { Tool } from '@modelcontextprotocol/server'
import { type Scope, scopeOfTool, type ToolName } from '@vertexsms/contract/scopes'
import * as z from 'zod'
import type { ApiRequest } from '../api/client.ts'
import { parseJson, type RouteAnswer, type RouteRefusal } from '../api/judge.ts'
import { failureFor, ToolFailure, type ToolOutput } from '../protocol/failure.ts'
import { type Field, isLeftOut, type OptionalField } from './fields.ts'

type Properties = NonNullable<Tool['inputSchema']['properties']>
type Fields = Readonly<Record<string, Field<unknown>>>

/** The arguments a set of fields reads. */
export type ArgumentsOf<F extends Fields> = {
  [Name in keyof F as F[Name] extends OptionalField<unknown> ? never : Name]: F[Name] extends Field<infer V> ? V : never
} & {
  [Name in keyof F as F[Name] extends OptionalField<unknown> ? Name : never]?: F[Name] extends Field<infer V>
    ? V
    : never
}

/** What a tool may do while it runs. */
export interface ToolContext {
  /** Calls a route under the tool's scope; failures are thrown in a form that already says what to answer. */
  call(request: ApiRequest): Promise<RouteAnswer>
  /** Whose the token is; no proof that it stands. Throws Refusal. */
  account(): Promise<string>
  /** The token's own description, where the answer comes from memory. */
  describe(): Promise<{ readonly account: string; readonly permissions: readonly string[] }>
  /** The answer for a token that does not stand any more. */
  tokenRejected(): Error
  /** The answer for a token that may not use this tool. */
  permissionMissing(): Error
  /** Aborts when a client of the modern era has gone; in the older ones a broken connection cancels nothing. */
  readonly signal: AbortSignal
  /** Aborts when the process is about to end: nothing new is begun. */
  readonly draining: AbortSignal
  /** Tells the client how far the call is, where it asked to be told. */
  progress(done: number, total: number, message: string): void
}

/** All four hints of a tool; a default would be wrong for one of them (2026-07-28, server/tools). */
export interface ToolHints {
  readonly readOnlyHint: boolean
  readonly destructiveHint: boolean
  readonly idempotentHint: boolean
  readonly openWorldHint: boolean
}

/** Everything about one tool. */
export interface ToolDefinition<F extends Fields, Output extends z.ZodObject> {
  readonly name: ToolName
  readonly title: string
  readonly description: string
  readonly hints: ToolHints
  readonly input: F
  readonly output: Output
  readonly run: (args: ArgumentsOf<F>, context: ToolContext) => Promise<ToolOutput<z.output<Output>>>
}

/** A tool as the registry holds it: its public form, and how it is called. */
export interface DefinedTool {
  readonly name: ToolName
  readonly scope: Scope
  readonly listing: Tool
  readonly output: z.ZodObject
  /** Reads the arguments a model wrote. Throws {@link ToolFailure} `INVALID_INPUT`. */
  readonly read: (args: unknown) => unknown
  readonly run: (args: never, context: ToolContext) => Promise<ToolOutput<object>>
}

/** Puts a tool together: its scope from the contract, its schemas for the list, its reader of arguments. */
export function defineTool<F extends Fields, Output extends z.ZodObject>(
  definition: ToolDefinition<F, Output>,
): DefinedTool {
  const { name, title, description, hints, input, output, run } = definition
  const scope = scopeOfTool(name)
  if (scope === undefined) throw new Error(`No scope covers ${name}`)
  const fields = Object.entries(input)
  const required = fields.filter(([, field]) => !('isOptional' in field)).map(([field]) => field)
  return {
    name,
    scope,
    output,
    listing: {
      name,
      title,
      description,
      inputSchema: {
        type: 'object',
        properties: Object.fromEntries(fields.map(([field, { schema }]) => [field, schema])) as Properties,
        ...(required.length === 0 ? {} : { required }),
        additionalProperties: false,
      },
      outputSchema: outputJsonSchema(output),
      annotations: { title, ...hints },
    },
    read: (args) => readArguments(input, fields, args),
    run,
  }
}

function outputJsonSchema(output: z.ZodObject): Tool['outputSchema'] {
  const { $schema: _, ...schema } = z.toJSONSchema(output, { target: 'draft-2020-12', io: 'output' })
  return plainSchema(schema) as Tool['outputSchema']
}

// What may be null says so with `anyOf`, because strict clients do not know lists of types.
function plainSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plainSchema)
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).flatMap(([keyword, value]) => {
    // That a number can be written exactly says nothing of it, and is long.
    if ((keyword === 'minimum' || keyword === 'maximum') && Math.abs(value) === Number.MAX_SAFE_INTEGER) return []
    return keyword === 'type' && Array.isArray(value)
      ? [['anyOf', value.map((type) => ({ type }))]]
      : [[keyword, plainSchema(value)]]
  })
  return Object.fromEntries(entries)
}

/** Members that n8n's agent puts beside the arguments of every tool. */
const ADDED_BY_CLIENTS: ReadonlySet<string> = new Set(['toolCallId', 'sessionId', 'action', 'chatInput', 'tool'])

/** A name that may be repeated to the client: one plain word. */
const PLAIN_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,39}$/

function readArguments(input: Fields, fields: [string, Field<unknown>][], args: unknown): Record<string, unknown> {
  const given = (args ?? {}) as Record<string, unknown>
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new ToolFailure('INVALID_INPUT', 'The arguments must be an object.')
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(input, name) || ADDED_BY_CLIENTS.has(name)) continue
    const which = PLAIN_NAME.test(name) ? `Argument \`${name}\`: this` : 'There'
    throw new ToolFailure(
      'INVALID_INPUT',
      `${which} is an argument this tool does not have. It has: ${Object.keys(input).join(', ')}.`,
    )
  }
  const values: Record<string, unknown> = {}
  for (const [name, field] of fields) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    const isOptional = 'isOptional' in field
    if (isOptional ? isLeftOut(value) : value === undefined || value === null) {
      if (!isOptional) throw new ToolFailure('INVALID_INPUT', `Argument \`${name}\` is missing.`)
      continue
    }
    values[name] = field.read(value, name, given)
  }
  return values
}

/** The JSON body of an answer in the shape the contract promises. Throws `INTERNAL`. */
export function readAnswer<Schema extends z.ZodType>(schema: Schema, answer: RouteAnswer): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(answer.body))
  if (!parsed.success) throw new ToolFailure('INTERNAL')
  return parsed.data
}

/**
 * As {@link readAnswer}, of an answer that holds names that others gave: each of its texts is one {@link line}, wherever a
 * model will read it.
 */
export function readNames<Schema extends z.ZodType>(schema: Schema, answer: RouteAnswer): z.output<Schema> {
  return inLines(readAnswer(schema, answer)) as z.output<Schema>
}

// As deep as the schema is, and no copy: what a schema gives is the reader's own.
function inLines(value: unknown): unknown {
  if (typeof value === 'string') return line(value)
  if (typeof value !== 'object' || value === null) return value
  const members = value as Record<string, unknown>
  for (const name of Object.keys(members)) members[name] = inLines(members[name])
  return value
}

/** The failure for what a route refused, in sentences of ours; a tool adds what it knows better. */
export function refusalFailure(refusal: RouteRefusal, known: Readonly<Record<string, ToolFailure>> = {}): ToolFailure {
  const { error, retryAfterSeconds } = refusal
  const better = Object.hasOwn(known, error.code) ? known[error.code] : undefined
  return better ?? failureFor(error, retryAfterSeconds)
}

/** What most texts are: words of ASCII with one space between them. */
const PLAIN_LINE = /^[!-~]+(?: [!-~]+)*$/

/** What a cut leaves of a character of two code units; a client that parses strictly refuses an answer with it (RFC 8259 §8.2). */
const HALF_AT_END = /\p{Cs}$/u

/** A string of the API on its way into a line of text: one line, no control characters, of bounded length. */
export function line(value: string, maxCharacters = 80): string {
  if (value.length <= maxCharacters && PLAIN_LINE.test(value)) return value
  return value
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, maxCharacters)
    .replace(HALF_AT_END, '')
}
