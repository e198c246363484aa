// The reference of the REST API as Markdown, made from its OpenAPI document.
import { MONEY_TEXT } from './limits.ts'
import { code, table } from './markdown.ts'
import type { Json, OpenApiDocument, Operation, Response } from './openapi.ts'

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
    return least === most ? ` (${least}${unit})` : ` (${least} to ${most}${unit})`
  if (most !== undefined) return ` (at most ${most}${unit})`
  return least === undefined ? '' : ` (at least ${least}${unit})`
}

/** A type in words; within a list without the bounds of what it lists, which would be read as those of the list. */
function typeOf(schema: Schema, isListed = false): string {
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ')
  const variants = schema.anyOf ?? schema.oneOf
  if (variants !== undefined) {
    // A list stands last: what is behind its words would be read as of its entries.
    const lists = variants.filter(({ type }) => type === 'array')
    const others = variants.filter(({ type }) => type !== 'array')
    return [...new Set([...others, ...lists].map((one) => typeOf(one, isListed)))].join(' or ')
  }
  if (schema.type === 'array') {
    return `list${range(schema.minItems, schema.maxItems, '')} of ${typeOf(schema.items ?? {}, true)}`
  }
  if (schema.format === 'date-time') return 'time'
  if (schema.pattern === MONEY_TEXT.source) return 'amount'
  const type = [schema.type ?? 'any'].flat().join(' or ')
  if (isListed) return type
  return type + range(schema.minimum, schema.maximum, '') + range(schema.minLength, schema.maxLength, ' characters')
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

/** What is told of the presence of a member: a request may leave most out, an answer tells most. */
type Presence = 'required' | 'may be left out'

function membersTable(told: Presence, schema: Schema): string | undefined {
  const rows = members(schema)
  if (rows.length === 0) return undefined
  return table(
    ['member', 'type', 'meaning'],
    rows.map(([path, member, required]) => [
      code(path),
      typeOf(member) + (required === (told === 'required') ? `; ${told}` : ''),
      member.description ?? '',
    ]),
  )
}

/** The anchor of a heading, by the rule of GitHub, so that links hold there and on the page. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
const linkTo = (heading: string, text = heading) => `[${text}](#${anchorOf(heading)})`

function whichForm(form: Schema, index: number, count: number): string {
  const named = Object.entries(form.properties ?? {}).find(([, member]) => member.const !== undefined)
  if (named === undefined) return `form ${index + 1} of ${count}`
  const [name, member] = named
  return `where ${code(name)} is ${typeOf(member)}`
}

/** JSON with a space wherever a narrow page may break it. */
const inOneLine = (value: unknown) => JSON.stringify(value, null, 1).replaceAll(/\n\s*/g, ' ')

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

  function shape(title: string, told: Presence, schema: Schema): string[] {
    const rows = membersTable(told, schema)
    if (rows === undefined) return [`**${title}.** ${typeOf(schema)}`]
    return [`**${title}.**${schema.type === 'array' ? ' A list of:' : ''}`, rows]
  }

  /** Each form by itself, named by the value that tells it from the others; one table where they differ only in being a list. */
  function shapes(title: string, told: Presence, schema: Schema): string[] {
    const forms = (schema.oneOf ?? schema.anyOf ?? []).map((form) => resolve(form))
    const [first, ...others] = forms.map((form) => membersTable(told, form))
    if (first === undefined || others.length === 0) return shape(title, told, schema)
    if (others.every((other) => other === first)) return [`**${title}.** A list of, or one alone:`, first]
    return forms.flatMap((form, index) => shape(`${title}, ${whichForm(form, index, forms.length)}`, told, form))
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
              ['parameter', 'type', 'meaning'],
              parameters.map(({ name, in: place, schema, description = '' }) => [
                code(name),
                `${typeOf(schema as Schema)}; in the ${place}`,
                description,
              ]),
            ),
          ]),
      ...Object.values(requestBody?.content ?? {}).flatMap(({ schema, example }) => [
        ...shapes('Body', 'required', resolve(schema)),
        `For example:\n\n\`\`\`json\n${inOneLine(example)}\n\`\`\``,
      ]),
      `Answers ${status}: ${success?.description ?? ''}`,
      ...Object.entries(success?.content ?? {}).flatMap(([type, { schema }]) =>
        shapes(type, 'may be left out', resolve(schema)),
      ),
      ...headersOf(success),
      `${linkTo('Refusals', 'Refused')} with ${failures.map(([one]) => one).join(', ')}.`,
    ]
  }

  function headersOf(success: Response | undefined): string[] {
    const headers = Object.entries(success?.headers ?? {})
    const told = headers.map(([name, { description }]) => `${code(name)}: ${description}`)
    return told.length === 0 ? [] : [`Headers of the answer: ${told.join(' ')}`]
  }

  // The same answer at both addresses.
  const routes = Object.entries(paths)
    .filter(([path]) => path === '/' || !path.endsWith('/'))
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })))
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
    'An amount is decimal text in EUR with up to six decimals, such as `"0.0775"`. A time is in ISO 8601 and UTC, such as `2026-01-31T09:00:00.000Z`.',
    '## Contents',
    [
      ...routes.map(({ method, path, operation }) => {
        const name = `${method.toUpperCase()} ${path}`
        return `- ${linkTo(name)}: ${operation.summary}`
      }),
      `- ${linkTo('Refusals')}: what each status and code means`,
    ].join('\n'),
    '## Routes',
    ...routes.flatMap(({ method, path, operation }) => section(method, path, operation)),
    '## Refusals',
    'The body is `{"message", "code", "error_code"}`, and `details` for some codes. Any other method on one of these addresses answers 405 `METHOD_NOT_ALLOWED`, and `Allow` names those that it takes.',
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
