// A model on loopback that answers with one tool call and then with one sentence, whatever it is asked: Anthropic Messages,
// OpenAI Responses and chat completions, and Gemini generateContent, as streams and whole.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What it says once its call was made. */
const LAST_WORDS = 'Done.'

type Json = Readonly<Record<string, unknown>>

/** The one call that the model makes. */
export interface PlannedCall {
  /** The tool's name on our server; agents put the server's in front. */
  readonly tool: string
  readonly args: Json
}

/** A model that an agent is told to use. */
export interface PretendModel {
  /** Origin, without a slash at its end. */
  readonly url: string
  /** Tool calls made: 0 or 1, never more, however often it is asked. */
  calls(): number
  /** True once an agent brought back an answer that holds these words. */
  wasTold(words: string): boolean
  /** Every tool that it was ever offered, for the reason why it called none. */
  offered(): readonly string[]
  close(): Promise<void>
}

/** A tool as one of the dialects offers it; Codex groups those of a server under its name. */
interface Offer {
  readonly name: string
  readonly namespace?: string
}

/** Listens on a free port of loopback. */
export async function openModel({ tool, args }: PlannedCall): Promise<PretendModel> {
  let calls = 0
  const offered = new Set<string>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const { pathname } = new URL(request.url ?? '/', 'http://localhost')
      const dialect = DIALECTS.find(({ path }) => path.test(pathname))
      if (request.method !== 'POST' || dialect === undefined) {
        response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"not here"}}')
        return
      }
      const body = JSON.parse(text) as Json
      asked.push(text)
      const offers = offersOf(body.tools)
      for (const { name } of offers) offered.add(name)
      const offer = calls === 0 ? offers.find(({ name }) => name.endsWith(tool)) : undefined
      if (offer !== undefined) calls++
      const streams = body.stream === true || pathname.endsWith(':streamGenerateContent')
      const answer = offer === undefined ? dialect.say(LAST_WORDS) : dialect.call(offer, JSON.stringify(args))
      response.writeHead(200, { 'content-type': streams ? 'text/event-stream' : 'application/json' })
      response.end(streams ? answer.events.map(eventText).join('') + dialect.end : JSON.stringify(answer.whole))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    wasTold: (words) => asked.some((text) => text.includes(words)),
    offered: () => [...offered],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function eventText(event: Json): string {
  return `${typeof event.type === 'string' ? `event: ${event.type}\n` : ''}data: ${JSON.stringify(event)}\n\n`
}

function offersOf(tools: unknown, namespace?: string): Offer[] {
  if (!Array.isArray(tools)) return []
  return tools.flatMap((one: Json): Offer[] => {
    if (Array.isArray(one.functionDeclarations)) return offersOf(one.functionDeclarations)
    if (one.type === 'namespace') return offersOf(one.tools, String(one.name))
    const name = (one.function as Json | undefined)?.name ?? one.name
    return typeof name === 'string' ? [{ name, ...(namespace !== undefined && { namespace }) }] : []
  })
}

interface Answer {
  readonly events: readonly Json[]
  readonly whole: Json
}

interface Dialect {
  readonly path: RegExp
  say(text: string): Answer
  call(offer: Offer, args: string): Answer
  /** What stands after the last event of a stream. */
  readonly end: string
}

const USAGE = { input_tokens: 1, output_tokens: 1, total_tokens: 2 }

const anthropic: Dialect = {
  path: /\/v1\/messages$/,
  end: '',
  say: (text) => message({ type: 'text', text }, { type: 'text', text: '' }, { type: 'text_delta', text }, 'end_turn'),
  call: ({ name }, args) => {
    const use = { type: 'tool_use', id: 'toolu_pretend_1', name }
    return message(
      { ...use, input: JSON.parse(args) },
      { ...use, input: {} },
      { type: 'input_json_delta', partial_json: args },
      'tool_use',
    )
  },
}

function message(block: Json, begun: Json, delta: Json, reason: string): Answer {
  const empty = { id: 'msg_pretend', type: 'message', role: 'assistant', model: 'pretend', content: [], usage: USAGE }
  const stop = { stop_reason: reason, stop_sequence: null }
  return {
    whole: { ...empty, content: [block], ...stop },
    events: [
      { type: 'message_start', message: { ...empty, stop_reason: null, stop_sequence: null } },
      { type: 'content_block_start', index: 0, content_block: begun },
      { type: 'content_block_delta', index: 0, delta },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: stop, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ],
  }
}

const responses: Dialect = {
  path: /\/responses$/,
  end: '',
  say: (text) =>
    output({
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      content: [{ type: 'output_text', text, annotations: [] }],
    }),
  call: (offer, args) =>
    output({ type: 'function_call', id: 'fc_1', call_id: 'call_pretend_1', ...offer, arguments: args }),
}

function output(item: Json): Answer {
  const response = { id: 'resp_pretend', object: 'response', status: 'completed', output: [item], usage: USAGE }
  return {
    whole: response,
    events: [
      { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
      { type: 'response.output_item.added', output_index: 0, item },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response },
    ],
  }
}

const chat: Dialect = {
  path: /\/chat\/completions$/,
  end: 'data: [DONE]\n\n',
  say: (content) => completion({ role: 'assistant', content }, {}, 'stop'),
  call: ({ name }, args) => {
    const call = { id: 'call_pretend_1', type: 'function', function: { name, arguments: args } }
    return completion({ role: 'assistant', content: null, tool_calls: [call] }, { index: 0 }, 'tool_calls')
  },
}

function completion(message: Json & { tool_calls?: Json[] }, position: Json, reason: string): Answer {
  const base = { id: 'chatcmpl-pretend', created: 0, model: 'pretend' }
  const calls = message.tool_calls?.map((call) => ({ ...position, ...call }))
  const delta = { ...message, ...(calls !== undefined && { tool_calls: calls }) }
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  const chunk = (choice: Json) => ({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }] })
  return {
    whole: { ...base, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: reason }], usage },
    events: [chunk({ delta, finish_reason: null }), { ...chunk({ delta: {}, finish_reason: reason }), usage }],
  }
}

const gemini: Dialect = {
  path: /:(streamG|g)enerateContent$/,
  end: '',
  say: (text) => candidate({ text }),
  call: ({ name }, args) => candidate({ functionCall: { name, args: JSON.parse(args) } }),
}

function candidate(part: Json): Answer {
  const whole = {
    candidates: [{ index: 0, content: { role: 'model', parts: [part] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  }
  return { whole, events: [whole] }
}

const DIALECTS: readonly Dialect[] = [anthropic, responses, chat, gemini]
