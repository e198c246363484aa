// The methods, tools, prompts and resources that the conformance suite asks for by name, registered in our own table.
import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  type GetPromptResult,
  inputRequired,
  inputResponse,
  isSpecType,
  LOG_LEVEL_META_KEY,
  type LoggingLevel,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
  type SpecTypeName,
  type Tool,
} from '@modelcontextprotocol/server'
import * as z from 'zod'
import type { Exchange } from '../../src/protocol/exchange.ts'
import type { Methods, Params, Registry } from '../../src/protocol/methods.ts'

// What the conformance suite calls by fixed names, served on the product's own edge instead of the ten tools.

type ToolOutcome = CallToolResult | ReturnType<typeof inputRequired>
type CallParams = { name: string; arguments?: Record<string, unknown> }
type Run = (exchange: Exchange) => ToolOutcome | Promise<ToolOutcome>

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA='

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] })
const pause = () => new Promise((resolve) => setTimeout(resolve, 50))
const nameForm = (message: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
  })
const okForm = () =>
  inputRequired.elicit({
    message: 'Please confirm',
    requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
  })
const ask = (question: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens,
  })

const states = createRequestStateCodec<{ step: number }>({ key: new Uint8Array(32).fill(7) })
// RFC 5424 severities, least severe first, as the protocol names them.
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']
const nameSchema = z.object({ name: z.string() })

function capabilitiesOf({ meta }: Exchange): Record<string, unknown> {
  return (meta[CLIENT_CAPABILITIES_META_KEY] ?? {}) as Record<string, unknown>
}

async function readState({ params }: Exchange): Promise<{ step: number } | undefined> {
  const { requestState } = params
  if (requestState === undefined) return undefined
  try {
    // The codec reads the context only where it is told to bind a state to something in it.
    return await states.verify(String(requestState), {} as ServerContext)
  } catch {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState')
  }
}

function answered(exchange: Exchange, key: string): boolean {
  return inputResponse(exchange.inputResponses, key).kind !== 'missing'
}

// In the modern era from the level that this very request asked for, else always.
function log(exchange: Exchange, level: LoggingLevel, data: string): void {
  const wanted = exchange.meta[LOG_LEVEL_META_KEY]
  if (exchange.era === 'modern' && (wanted === undefined || LEVELS.indexOf(level) < LEVELS.indexOf(String(wanted))))
    return
  exchange.notify({ method: 'notifications/message', params: { level, data } })
}

async function roundOfState(exchange: Exchange): Promise<ToolOutcome> {
  const state = await readState(exchange)
  if (state !== undefined && answered(exchange, 'confirm')) return text('state-ok')
  return inputRequired({
    inputRequests: { confirm: okForm() },
    requestState: await states.mint({ step: 1 }),
  })
}

const RUNS: Record<string, Run> = {
  test_simple_text: () => text('This is a simple text response for testing.'),
  test_image_content: () => ({ content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] }),
  test_audio_content: () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }),
  test_embedded_resource: () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }),
  test_multiple_content_types: () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: PNG, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  }),
  async test_tool_with_logging(exchange) {
    log(exchange, 'info', 'Tool execution started')
    await pause()
    log(exchange, 'info', 'Tool processing data')
    await pause()
    log(exchange, 'info', 'Tool execution completed')
    return text('Logged three times.')
  },
  async test_logging_tool(exchange) {
    log(exchange, 'info', 'A message for those who asked for messages')
    return text('Logged, if asked to.')
  },
  test_error_handling: () => ({ ...text('This tool intentionally returns an error for testing'), isError: true }),
  async test_tool_with_progress(exchange) {
    for (const progress of [0, 50, 100]) {
      exchange.progress(progress, 100)
      await pause()
    }
    return text('Done.')
  },
  test_missing_capability(exchange) {
    const capabilities = capabilitiesOf(exchange)
    if (capabilities.sampling === undefined) {
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } })
    }
    return text('The client can sample.')
  },
  test_streaming_elicitation: (exchange) =>
    answered(exchange, 'user_name')
      ? text('Thank you.')
      : inputRequired({ inputRequests: { user_name: nameForm('What is your name?') } }),
  test_input_required_result_elicitation(exchange) {
    const given = acceptedContent(exchange.inputResponses, 'user_name')
    const name = nameSchema.safeParse(given)
    if (name.success) return text(`Hello, ${name.data.name}!`)
    return inputRequired({ inputRequests: { user_name: nameForm('What is your name?') } })
  },
  test_input_required_result_sampling(exchange) {
    const response = inputResponse(exchange.inputResponses, 'capital_question')
    if (response.kind !== 'missing') return text(JSON.stringify(response))
    return inputRequired({ inputRequests: { capital_question: ask('What is the capital of France?', 100) } })
  },
  test_input_required_result_list_roots(exchange) {
    const response = inputResponse(exchange.inputResponses, 'client_roots')
    if (response.kind !== 'missing') return text(JSON.stringify(response))
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  },
  test_input_required_result_request_state: roundOfState,
  test_input_required_result_tampered_state: roundOfState,
  async test_input_required_result_multiple_inputs(exchange) {
    const state = await readState(exchange)
    const keys = ['user_name', 'greeting', 'client_roots']
    if (state !== undefined && keys.every((key) => answered(exchange, key))) return text('All three answers are here.')
    return inputRequired({
      inputRequests: {
        user_name: nameForm('What is your name?'),
        greeting: ask('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await states.mint({ step: 1 }),
    })
  },
  async test_input_required_result_multi_round(exchange) {
    const state = await readState(exchange)
    if (state?.step === 2 && answered(exchange, 'step2')) return text('Both steps are done.')
    if (state?.step === 1 && answered(exchange, 'step1')) {
      const color = inputRequired.elicit({
        message: 'Step 2: What is your favorite color?',
        requestedSchema: { type: 'object', properties: { color: { type: 'string' } }, required: ['color'] },
      })
      return inputRequired({ inputRequests: { step2: color }, requestState: await states.mint({ step: 2 }) })
    }
    return inputRequired({
      inputRequests: { step1: nameForm('Step 1: What is your name?') },
      requestState: await states.mint({ step: 1 }),
    })
  },
  test_input_required_result_capabilities(exchange) {
    const capabilities = capabilitiesOf(exchange)
    return inputRequired({
      inputRequests: {
        ...(capabilities.elicitation === undefined ? {} : { user_name: nameForm('What is your name?') }),
        ...(capabilities.sampling === undefined ? {} : { greeting: ask('Generate a greeting', 50) }),
      },
    })
  },
}

const SCHEMA_TOOL: Tool = {
  name: 'json_schema_2020_12_tool',
  description: 'Tool with JSON Schema 2020-12 features',
  inputSchema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: {
      address: {
        $anchor: 'addressDef',
        type: 'object',
        properties: { street: { type: 'string' }, city: { type: 'string' } },
      },
    },
    properties: {
      name: { type: 'string' },
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' },
      email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  },
}

const EMPTY: Tool['inputSchema'] = { type: 'object', properties: {}, additionalProperties: false }
const TOOLS: Tool[] = [
  ...Object.keys(RUNS).map((name) => ({ name, description: `Fixture ${name}.`, inputSchema: EMPTY })),
  SCHEMA_TOOL,
]

const RESOURCES = [
  { uri: 'test://static-text', name: 'Static text', description: 'A text.', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'Static image', description: 'An image.', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'Watched', description: 'A resource to watch.', mimeType: 'text/plain' },
]
const TEMPLATE = {
  uriTemplate: 'test://template/{id}/data',
  name: 'Template',
  description: 'Data by id.',
  mimeType: 'application/json',
}

function readResource(uri: string) {
  if (uri === 'test://static-text') {
    const content = 'This is the content of the static text resource.'
    return { contents: [{ uri, mimeType: 'text/plain', text: content }] }
  }
  if (uri === 'test://static-binary') return { contents: [{ uri, mimeType: 'image/png', blob: PNG }] }
  if (uri === 'test://watched-resource') return { contents: [{ uri, mimeType: 'text/plain', text: 'Watched.' }] }
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1]
  if (id === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Resource not found', { uri })
  const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
  return { contents: [{ uri, mimeType: 'application/json', text: data }] }
}

const argument = (name: string) => ({ name, description: `Argument ${name}.`, required: true })
const PROMPTS = [
  { name: 'test_simple_prompt', description: 'A simple prompt.' },
  {
    name: 'test_prompt_with_arguments',
    description: 'A prompt with arguments.',
    arguments: [argument('arg1'), argument('arg2')],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'A prompt with a resource.',
    arguments: [argument('resourceUri')],
  },
  { name: 'test_prompt_with_image', description: 'A prompt with an image.' },
  { name: 'test_input_required_result_prompt', description: 'A prompt that asks something first.' },
]

const says = (value: string) => ({ role: 'user' as const, content: { type: 'text' as const, text: value } })

function getPrompt(name: string, args: Record<string, string>, exchange: Exchange) {
  const messages = ((): GetPromptResult['messages'] | undefined => {
    switch (name) {
      case 'test_simple_prompt':
        return [says('This is a simple prompt for testing.')]
      case 'test_prompt_with_arguments':
        return [says(`Prompt with arguments: arg1='${args.arg1}', arg2='${args.arg2}'`)]
      case 'test_prompt_with_embedded_resource':
        return [
          {
            role: 'user',
            content: {
              type: 'resource',
              resource: {
                uri: args.resourceUri ?? '',
                mimeType: 'text/plain',
                text: 'Embedded resource content for testing.',
              },
            },
          },
          says('Please process the embedded resource above.'),
        ]
      case 'test_prompt_with_image':
        return [
          { role: 'user', content: { type: 'image', data: PNG, mimeType: 'image/png' } },
          says('Please analyze the image above.'),
        ]
      default:
        return undefined
    }
  })()
  if (messages !== undefined) return { messages }
  if (name !== 'test_input_required_result_prompt') {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown prompt')
  }
  const given = inputResponse(exchange.inputResponses, 'user_context')
  if (given.kind !== 'missing') return { messages: [says(`Prompt with ${JSON.stringify(given)}`)] }
  return inputRequired({
    inputRequests: {
      user_context: inputRequired.elicit({
        message: 'What context should the prompt use?',
        requestedSchema: { type: 'object', properties: { context: { type: 'string' } }, required: ['context'] },
      }),
    },
  })
}

const shape = (type: SpecTypeName) => (params: Params) => (isSpecType[type](params) ? null : `not ${type}`)
const METHODS: Methods = {
  'tools/list': { handle: () => ({ tools: TOOLS }) },
  'tools/call': {
    params: shape('CallToolRequestParams'),
    handle({ name, arguments: args }: CallParams, exchange) {
      if (name === SCHEMA_TOOL.name) return text(JSON.stringify(args ?? {}))
      const run = Object.hasOwn(RUNS, name) ? RUNS[name] : undefined
      if (run === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool')
      return run(exchange)
    },
  },
  'resources/list': { handle: () => ({ resources: RESOURCES }) },
  'resources/templates/list': { handle: () => ({ resourceTemplates: [TEMPLATE] }) },
  'resources/read': {
    params: shape('ReadResourceRequestParams'),
    handle: ({ uri }: { uri: string }) => readResource(uri),
  },
  'resources/subscribe': { era: 'legacy', handle: () => ({}) },
  'resources/unsubscribe': { era: 'legacy', handle: () => ({}) },
  'prompts/list': { handle: () => ({ prompts: PROMPTS }) },
  'prompts/get': {
    params: shape('GetPromptRequestParams'),
    handle: ({ name, arguments: args }: CallParams, exchange) =>
      getPrompt(name, (args ?? {}) as Record<string, string>, exchange),
  },
  'completion/complete': { handle: () => ({ completion: { values: ['paris', 'park'], total: 2 } }) },
  'logging/setLevel': { era: 'legacy', handle: () => ({}) },
}

/** The fixtures of the conformance suite as a registry for the product's edge. */
export const FIXTURES: Registry = {
  info: { name: 'conformance-fixtures', version: '1.0.0' },
  instructions: 'Fixtures of the conformance suite.',
  capabilities: { tools: {}, resources: {}, prompts: {}, completions: {}, logging: {} },
  cacheSeconds: 300,
  methods: METHODS,
}
