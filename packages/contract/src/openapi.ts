// The reference of the REST API as OpenAPI 3.1, made from the routes, the schemas and the catalogues of this package.
import * as z from 'zod'
import { API_ERRORS, type ApiErrorCode } from './api-errors.ts'
import {
  AMOUNT_SENT_HEADER,
  IDEMPOTENCY_KEY_HEADER,
  IDEMPOTENCY_KEY_MAX_CHARACTERS,
  IDEMPOTENCY_REPLAYED_HEADER,
  TOKEN_HEADER,
} from './headers.ts'
import { ERROR_DETAILS } from './limits.ts'
import { REFUSAL_REASONS } from './refusals.ts'
import { apiErrorBodySchema } from './rest.ts'
import { type Answer, type NamedSchema, ROUTES, type RouteDefinition } from './routes.ts'

/** A JSON Schema of draft 2020-12, and any other part of the document. */
export type Json = { readonly [member: string]: unknown }

/** The document, as far as its readers here look into it. */
export interface OpenApiDocument extends Json {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Json>> } & Json
}

/** One route in it. */
export interface Operation extends Json {
  readonly summary: string
  readonly description: string
  readonly parameters: readonly Parameter[]
  readonly requestBody?: {
    readonly required: true
    readonly content: Readonly<Record<string, { readonly schema: Json; readonly example: unknown }>>
  }
  readonly responses: Readonly<Record<string, Response>>
}

/** One path part, query parameter or header of a request. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: Json
}

type Content = Readonly<Record<string, { readonly schema: Json }>>

/** One answer, by status. */
export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: Json }>>
  readonly content?: Content
}

/** Statuses that every route can answer, whose body is that of an error. */
const EVERY_ROUTE = [400, 401, 403, 429, 500, 502, 503]
const WITH_PATH = [404]
/** Of every method that could come with a body, where the route takes none too. */
const WITH_BODY = [413, 415]
/** Where something is asked for that may conflict with what is there, or whose answer may be lost. */
const ACTING = [409, 504]
const ONCE = [422, 501]

const WORDS: Readonly<Record<number, string>> = {
  400: 'The request is not valid; the message names the field and the way to mend it.',
  401: 'No token, or one that is not good.',
  403: 'The token, or a limit of its owner, does not allow it.',
  404: 'There is nothing under this address.',
  409: 'It conflicts with what was done already; what is still under way says in `Retry-After` when to ask again.',
  413: 'The body is too large.',
  415: 'The body is not said to be JSON, or is encoded.',
  422: 'The Idempotency-Key was used for another request.',
  429: 'Too many requests: wait for the time in `Retry-After`.',
  500: 'It failed on our side, or its outcome is not known.',
  501: 'This installation cannot do it.',
  502: 'VertexSMS refused the account, or answered what makes no sense.',
  503: 'A part of the service is down.',
  504: 'The answer was lost; it may have been carried out.',
}

/** `operationId` by route, the names of functions in generated clients. */
function operationId(method: string, path: string): string {
  const words = path.split(/[/{}]+/).filter((word) => word !== '')
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
  return method.toLowerCase() + words.map(capital).join('') + (path.length > 1 && path.endsWith('/') ? 'Slash' : '')
}

/** Safe integers and calendar dates are told by `type` and `format`; the rest of their spelling is noise to a reader. */
function simplify(schema: { maximum?: unknown; minimum?: unknown; format?: unknown; pattern?: unknown }): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.format === 'date-time') delete schema.pattern
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _draft, ...json } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => simplify(jsonSchema),
  })
  return json
}

/** The error body for one status: each of its codes with the details that it comes with. */
function errorSchema(status: number): Json {
  const body = schemaOf(apiErrorBodySchema, 'output') as { properties: Record<string, unknown> } & Json
  const codes = Object.keys(API_ERRORS).filter((code) => API_ERRORS[code as ApiErrorCode].status === status)
  const detailed = codes.filter((code) => Object.hasOwn(ERROR_DETAILS, code))
  const plain = codes.filter((code) => !detailed.includes(code))
  const reason = {
    type: 'object',
    properties: { reason: { enum: Object.keys(REFUSAL_REASONS) } },
    required: ['reason'],
  }
  const variants = [
    ...(plain.length === 0 ? [] : [{ code: { type: 'string', enum: plain }, details: reason }]),
    ...detailed.map((code) => ({
      code: { type: 'string', const: code },
      details: schemaOf(ERROR_DETAILS[code as keyof typeof ERROR_DETAILS], 'output'),
    })),
  ].map((properties) => ({ ...body, properties: { ...body.properties, ...properties } }))
  return variants.length === 1 ? (variants[0] as Json) : { anyOf: variants }
}

/** The document for an API at this address (no slash at its end). */
export function openApiDocument(serverUrl: string, version: string): OpenApiDocument {
  const schemas: Record<string, Json> = {}
  const ref = (name: string, make: () => Json): Json => {
    schemas[name] ??= make()
    return { $ref: `#/components/schemas/${name}` }
  }
  const named = ({ name, schema }: NamedSchema, io: 'input' | 'output') => ref(name, () => schemaOf(schema, io))

  function errorAnswer(status: number): Response {
    const retry = { description: 'Seconds after which to try again.', schema: { type: 'string', pattern: '^\\d+$' } }
    return {
      description: WORDS[status] ?? '',
      ...([409, 429, 503].includes(status) ? { headers: { 'Retry-After': retry } } : {}),
      content: { 'application/json': { schema: ref(`Error${status}`, () => errorSchema(status)) } },
    }
  }

  function success({ answer, once, tellsParts }: RouteDefinition): Response {
    const headers = {
      ...(tellsParts
        ? { [AMOUNT_SENT_HEADER]: { description: 'Parts charged.', schema: { type: 'string', pattern: '^\\d+$' } } }
        : {}),
      ...(once
        ? { [IDEMPOTENCY_REPLAYED_HEADER]: { description: 'An answer told again.', schema: { const: 'true' } } }
        : {}),
    }
    return {
      description: answer.description,
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
      ...(Object.keys(answer.content).length === 0 ? {} : { content: contentOf(answer) }),
    }
  }

  function contentOf({ content }: Answer): Content {
    return Object.fromEntries(Object.entries(content).map(([type, one]) => [type, { schema: named(one, 'output') }]))
  }

  function operation(method: string, path: string, route: RouteDefinition): Operation {
    const { permission, body } = route
    const may = permission === 'none' ? 'Any token.' : `Permission: ${[permission].flat().join(' or ')}.`
    const statuses = [
      ...EVERY_ROUTE,
      ...(route.path === undefined ? [] : WITH_PATH),
      ...(method === 'GET' ? [] : WITH_BODY),
      ...(method === 'GET' ? [] : ACTING),
      ...(route.once ? ONCE : []),
    ].sort((one, other) => one - other)
    return {
      operationId: operationId(method, path),
      summary: route.summary,
      description: `${route.description} ${may}`,
      parameters: [
        ...parametersOf(route.path, 'path'),
        ...parametersOf(route.query, 'query'),
        ...(route.once ? [IDEMPOTENCY_KEY] : []),
      ],
      ...(body === undefined
        ? {}
        : {
            requestBody: {
              required: true,
              content: { 'application/json': { schema: named(body, 'input'), example: body.example } },
            },
          }),
      responses: Object.fromEntries([
        [String(route.answer.status), success(route)],
        ...statuses.map((status) => [String(status), errorAnswer(status)] as const),
      ]),
    }
  }

  const paths: Record<string, Record<string, Operation>> = {}
  for (const [name, route] of Object.entries(ROUTES as Record<string, RouteDefinition>)) {
    const [method = '', path = ''] = name.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(method, path, route) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'VertexSMS REST API',
      version,
      description:
        'Send the token in `Authorization: Bearer` or in `X-VertexSMS-Token`, never in the address. Decide by `code`, never by `message`. In a body a member that is null counts as left out; other members than the listed ones are refused, and so are query parameters that are not listed. Every answer has an `X-Request-Id`, which names it in the log; a UUID that you send in this header is kept.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: serverUrl }],
    security: [{ bearer: [] }, { token: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        token: { type: 'apiKey', in: 'header', name: TOKEN_HEADER },
      },
    },
  }
}

const IDEMPOTENCY_KEY: Parameter = {
  name: IDEMPOTENCY_KEY_HEADER,
  in: 'header',
  required: false,
  description: 'Makes the request happen once, however often it is repeated with the same key and body.',
  schema: { type: 'string', minLength: 1, maxLength: IDEMPOTENCY_KEY_MAX_CHARACTERS },
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): Parameter[] {
  return Object.entries(schema?.shape ?? {}).map(([name, member]) => {
    const { description, ...json } = schemaOf(member as z.ZodType, 'input')
    return {
      name,
      in: place,
      required: place === 'path',
      ...(typeof description === 'string' ? { description } : {}),
      schema: json,
    }
  })
}
