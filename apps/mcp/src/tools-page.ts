import { code, table, yesNo } from '@vertexsms/contract/markdown'
import { SCOPE_NAMES, SCOPES } from '@vertexsms/contract/scopes'
import { RESOURCES, TEMPLATES } from './resources/methods.ts'
import { createTools } from './tools/index.ts'

interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxItems?: number
  readonly maxLength?: number
  readonly examples?: readonly unknown[]
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return code(JSON.stringify(schema.const))
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ')
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ')
  if (schema.type === 'array') {
    const limit = schema.maxItems === undefined ? '' : `, at most ${schema.maxItems}`
    return `list of ${typeOf(schema.items ?? {})}${limit}`
  }
  const range = schema.maximum === undefined || schema.maximum > 1e15 ? '' : ` ${schema.minimum} to ${schema.maximum}`
  const length = schema.maxLength === undefined ? '' : `, at most ${schema.maxLength} characters`
  return `${[schema.type ?? 'any'].flat().join(' or ')}${range}${length}`
}

// Members of lists of objects stand below the list, with its name in front.
function members(schema: Schema, prefix = ''): [string, Schema, boolean][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]): [string, Schema, boolean][] => {
    const inner = [member, ...(member.anyOf ?? [])].find((one) => one.items?.properties !== undefined)?.items
    const single = [member, ...(member.anyOf ?? [])].find((one) => one.properties !== undefined)
    return [
      [`${prefix}${name}`, member, schema.required?.includes(name) ?? false],
      ...(inner === undefined ? [] : members(inner, `${prefix}${name}[].`)),
      ...(single === undefined ? [] : members(single, `${prefix}${name}.`)),
    ]
  })
}

/** The ten tools and what can be read, as Markdown. */
export function toolsPage(): string {
  const tools = createTools()
  const hints = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const
  return [
    '# Tools',
    'All ten tools are listed to everyone; what a token may call is decided by the API on each call.',
    'Scopes have no hierarchy: none contains another, so an app needs the very scope of each tool that it calls.',
    table(
      ['scope', 'what it allows', 'costs money', 'tools'],
      SCOPE_NAMES.map((scope) => [
        code(scope),
        SCOPES[scope].description,
        yesNo(SCOPES[scope].billable),
        SCOPES[scope].tools.map(code).join(', '),
      ]),
    ),
    table(
      ['resource', 'what it tells'],
      [
        ...RESOURCES.map(({ uri, description }) => [code(uri), description]),
        ...TEMPLATES.map(({ uriTemplate, description }) => [code(uriTemplate), description]),
      ],
    ),
    ...tools.flatMap(({ name, scope, listing }) => [
      `## ${name}`,
      listing.description ?? '',
      `Scope ${code(scope)}. ${hints.map((hint) => `${hint}: ${listing.annotations?.[hint]}`).join(', ')}.`,
      table(
        ['argument', 'type', 'required', 'meaning'],
        members(listing.inputSchema as Schema).map(([path, schema, isRequired]) => [
          code(path),
          typeOf(schema),
          yesNo(isRequired),
          schema.description ?? '',
        ]),
      ),
      table(
        ['result', 'type', 'meaning'],
        members(listing.outputSchema as Schema).map(([path, schema]) => [
          code(path),
          typeOf(schema),
          schema.description ?? '',
        ]),
      ),
    ]),
    '',
  ].join('\n\n')
}
