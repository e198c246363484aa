// The reference of the REST API as Markdown, made from its OpenAPI document.
import { code, table } from './markdown.ts'
import type { Json, OpenApiDocument, Operation } from './openapi.ts'

interface Schema extends Json {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly pattern?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least !== undefined && most !== undefined)
    return least === most ? `, ${least}${unit}` : `, ${least} to ${most}${unit}`
  if (most !== undefined) return `, at most ${most}${unit}`
  return least === undefined ? '' : `, at least ${least}${unit}`
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ')
  const variants = schema.anyOf ?? schema.oneOf
  if (variants !== undefined) return [...new Set(variants.map(typeOf))].join(' or ')
  if (schema.type === 'array') {
    return `list of ${typeOf(schema.items ?? {})}${range(schema.minItems, schema.maxItems, '')}`
  }
  if (schema.format === 'date-time') return 'time, ISO 8601'
  return (
    [schema.type ?? 'any'].flat().join(' or ') +
    range(schema.minimum, schema.maximum, '') +
    range(schema.minLength, schema.maxLength, ' characters')
  )
}

/** Members of objects inside a member stand below it, under its name. */
function members(schema: Schema, prefix = ''): [string, Schema, boolean][] {
  const variants = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]
  const objects = variants.map((one) => (one.type === 'array' ? one.items : one)).filter((one) => one?.properties)
  const seen = new Map<string, [string, Schema, boolean]>()
  for (const object of objects) {
    for (const [name, member] of Object.entries(object?.properties ?? {})) {
      const path = `${prefix}${name}`
      if (!seen.has(path)) seen.set(path, [path, member, object?.required?.includes(name) ?? false])
      for (const inner of members(member, `${path}.`)) if (!seen.has(inner[0])) seen.set(inner[0], inner)
    }
  }
  return [...seen.values()]
}

function membersTable(third: string, schema: Schema): string | undefined {
  const rows = members(schema)
  if (rows.length === 0) return undefined
  return table(
    ['member', 'type', third, 'meaning'],
    rows.map(([path, member, required]) => [
      code(path),
      typeOf(member),
      required ? 'yes' : '',
      member.description ?? '',
    ]),
  )
}

function whichForm(form: Schema, index: number, count: number): string {
  const named = Object.entries(form.properties ?? {}).find(([, member]) => member.const !== undefined)
  if (named === undefined) return `form ${index + 1} of ${count}`
  const [name, member] = named
  return `where ${code(name)} is ${typeOf(member)}`
}

/** The page. `address` says where the API is, in Markdown: what the document names as its server, where nothing else is said. */
export function referencePage(
  { paths, components, info, servers }: OpenApiDocument,
  address = (servers as readonly { url: string }[]).map(({ url }) => code(url)).join(', '),
): string {
  const resolve = (schema: Json): Schema => {
    const { $ref } = schema as Schema
    return $ref === undefined
      ? (schema as Schema)
      : ((components.schemas[$ref.split('/').at(-1) ?? ''] ?? {}) as Schema)
  }

  function shape(title: string, third: string, schema: Schema): string[] {
    const rows = membersTable(third, schema)
    if (rows === undefined) return [`**${title}.** ${typeOf(schema)}`]
    return [`**${title}.**${schema.type === 'array' ? ' A list of:' : ''}`, rows]
  }

  /** Each form by itself, named by the value that tells it from the others; one table where they differ only in being a list. */
  function shapes(title: string, third: string, schema: Schema): string[] {
    const forms = (schema.oneOf ?? schema.anyOf ?? []).map((form) => resolve(form))
    const [first, ...others] = forms.map((form) => membersTable(third, form))
    if (first === undefined || others.length === 0) return shape(title, third, schema)
    if (others.every((other) => other === first)) return [`**${title}.** A list of, or one alone:`, first]
    return forms.flatMap((form, index) => shape(`${title}, ${whichForm(form, index, forms.length)}`, third, form))
  }

  function section(method: string, path: string, operation: Operation): string[] {
    const { parameters, requestBody, responses } = operation
    const [[status, success] = ['', undefined], ...failures] = Object.entries(responses)
    return [
      `### ${method.toUpperCase()} ${path}`,
      `${operation.summary}. ${operation.description}`,
      ...(parameters.length === 0
        ? []
        : [
            table(
              ['parameter', 'in', 'type', 'meaning'],
              parameters.map(({ name, in: place, schema, description = '' }) => [
                code(name),
                place,
                typeOf(schema as Schema),
                description,
              ]),
            ),
          ]),
      ...Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => shapes('Body', 'required', resolve(schema))),
      `Answers ${status}: ${success?.description ?? ''}`,
      ...Object.entries(success?.content ?? {}).flatMap(([type, { schema }]) =>
        shapes(type, 'always there', resolve(schema)),
      ),
      `Refused with ${failures.map(([one]) => one).join(', ')}.`,
    ]
  }

  const statuses = new Map(
    Object.values(paths).flatMap((path) =>
      Object.values(path).flatMap(({ responses }) =>
        Object.entries(responses).filter(([status]) => Number(status) >= 400),
      ),
    ),
  )
  const codesOf = (schema: Schema): string[] =>
    (schema.anyOf ?? [schema]).flatMap(({ properties }) => {
      const { const: one, enum: several = [] } = properties?.code ?? {}
      return [...several, ...(one === undefined ? [] : [one])].map(String)
    })
  const { title, description } = info as { title: string; description: string }
  return [
    `# ${title}`,
    description,
    `Address: ${address}. As OpenAPI 3.1: \`/openapi.json\`.`,
    '## Routes',
    ...Object.entries(paths)
      // The same answer at both addresses.
      .filter(([path]) => path === '/' || !path.endsWith('/'))
      .flatMap(([path, methods]) =>
        Object.entries(methods).flatMap(([method, operation]) => section(method, path, operation)),
      ),
    '## Refusals',
    'The body is `{"message", "code", "error_code"}`, and `details` for some codes.',
    table(
      ['status', 'meaning', 'codes'],
      [...statuses]
        .sort(([one], [other]) => Number(one) - Number(other))
        .map(([status, { description: meaning, content }]) => [
          status,
          meaning,
          Object.values(content ?? {})
            .flatMap(({ schema }) => codesOf(resolve(schema)))
            .map(code)
            .join(', '),
        ]),
    ),
    '',
  ].join('\n\n')
}
