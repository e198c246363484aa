// Writes docs/errors.md, docs/rest.md and docs/tools.md from the catalogues and the tools themselves, so that they cannot drift.
// `npx -y pnpm gen` writes them, `npx -y pnpm docs:check` fails when they are not up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { API_ERRORS, VERTEX_ERROR_MEANINGS } from '@vertexsms/contract/api-errors'
import { ERRORS, type ErrorDefinition } from '@vertexsms/contract/errors'
import { ERROR_DETAILS } from '@vertexsms/contract/limits'
import { openApiDocument } from '@vertexsms/contract/openapi'
import { referencePage } from '@vertexsms/contract/reference'
import { REFUSAL_REASONS } from '@vertexsms/contract/refusals'
import { SCOPE_NAMES, SCOPES } from '@vertexsms/contract/scopes'
// biome-ignore lint/style/noRestrictedImports: the page is made from the tools as they are served
import { RESOURCES, TEMPLATES } from '../apps/mcp/src/resources/methods.ts'
// biome-ignore lint/style/noRestrictedImports: the page is made from the tools as they are served
import { createTools } from '../apps/mcp/src/tools/index.ts'
import manifest from '../package.json' with { type: 'json' }

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

const NOTICE = '<!-- Made by `npx -y pnpm gen`. Do not edit by hand. -->'

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
}

const yesNo = (value: boolean) => (value ? 'yes' : 'no')
const code = (value: string) => `\`${value}\``

function errorsPage(): string {
  const catalogue = Object.entries(ERRORS as Record<string, ErrorDefinition>)
  return [
    NOTICE,
    '# Errors',
    'Every failure of the MCP server has one envelope. At the HTTP edge it is the body; in a tool call it is the text of a result with `isError: true`.',
    '```json\n{"error": {"code": "NOT_FOUND", "message": "...", "retryable": false, "vertex_error_code": null}}\n```',
    '`retryable` says whether the same call may succeed later, unchanged. `vertex_error_code` is a number of the last table, or null. Errors of authentication also carry `signup_url`, `signin_url` and `token_url`; `AUTH_REQUIRED` has no `vertex_error_code`. `details` is there for the codes of limits, approval and unknown outcomes, with the members that the table of details names; addresses in it stand in the sentence too. Errors of the protocol itself (an unknown tool, broken JSON, headers that disagree) are JSON-RPC errors.',
    '## MCP server',
    table(
      ['code', 'HTTP', 'tool result', 'retryable', 'what the person reads', 'what to do'],
      catalogue.map(([name, { http, tool, retryable, message, fix }]) => [
        code(name),
        http === null ? '' : String(http),
        tool ? 'yes' : '',
        yesNo(retryable),
        message,
        fix,
      ]),
    ),
    '### Details',
    'Amounts are decimal text in EUR, times ISO 8601. `manageUrl` and `approvalUrl` are for the owner of the account.',
    table(
      ['code', 'members of `details`'],
      Object.entries(ERROR_DETAILS).map(([name, { shape }]) => [code(name), Object.keys(shape).map(code).join(', ')]),
    ),
    'A token that stands but lacks the permission of a tool gets `AUTH_INVALID` with HTTP 403. An access token then also gets the challenge `insufficient_scope` with the granted and the needed scopes.',
    '## REST API',
    'The body is `{"message", "code", "error_code"}`, with `details: {"reason"}` where the table of reasons knows the mistake, or the details above. Decide by `code` and `details.reason`, never by `message`.',
    table(
      ['code', 'HTTP', 'message'],
      Object.entries(API_ERRORS).map(([name, { status, message }]) => [code(name), String(status), message]),
    ),
    '## Reasons',
    'In `details.reason` of a 400. The MCP server says the same in its own envelope.',
    table(
      ['reason', 'field', 'what it says'],
      Object.entries(REFUSAL_REASONS).map(([name, { field, fix }]) => [
        code(name),
        field === null ? 'the number' : code(field),
        fix,
      ]),
    ),
    '## Numeric codes',
    'In `vertex_error_code`, in `error_code`, in delivery reports and in HLR results.',
    table(
      ['code', 'meaning'],
      Object.entries(VERTEX_ERROR_MEANINGS).map(([number, meaning]) => [number, meaning]),
    ),
    '',
  ].join('\n\n')
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

function toolsPage(): string {
  const tools = createTools()
  const hints = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const
  return [
    NOTICE,
    '# Tools',
    'All ten tools are listed to everyone; what a token may call is decided by the API on each call.',
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

/** The generated pages: path under the repository, and text. */
export function documents(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/errors.md', errorsPage()],
    ['docs/rest.md', `${NOTICE}\n\n${referencePage(openApiDocument('https://api.vertexsms.com', manifest.version))}`],
    ['docs/tools.md', toolsPage()],
  ])
}

const root = new URL('../', import.meta.url)

/** The pages whose file is not what would be written now. */
export function outdated(): string[] {
  return [...documents()].filter(([path, text]) => readOrEmpty(new URL(path, root)) !== text).map(([path]) => path)
}

function readOrEmpty(url: URL): string {
  try {
    return readFileSync(url, 'utf8')
  } catch {
    return ''
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const paths = outdated()
    for (const path of paths) console.error(`${path} is out of date: run npx -y pnpm gen`)
    process.exitCode = paths.length === 0 ? 0 : 1
  } else {
    for (const [path, text] of documents()) {
      writeFileSync(new URL(path, root), text)
      console.log(`wrote ${path}`)
    }
  }
}
