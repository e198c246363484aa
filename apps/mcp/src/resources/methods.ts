import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import type { Era } from '../protocol/classify.ts'
import type { Exchange } from '../protocol/exchange.ts'
import { checkOnePage, type Methods, type Params, type Registry } from '../protocol/methods.ts'
import { ACCOUNT_RESOURCE, ACCOUNT_URI, readAccount } from './account.ts'
import { readSms, SMS_TEMPLATE, smsIdOf } from './sms.ts'

/** What an unknown resource is answered with: 2025-11-25 and before have a code of their own (SEP-2164 gave it up). */
const NOT_FOUND: Readonly<Record<Era, number>> = { legacy: -32002, modern: ProtocolErrorCode.InvalidParams }

/** What can be read under an address of its own. */
export const RESOURCES = [ACCOUNT_RESOURCE] as const

/** What can be read by an id. */
export const TEMPLATES = [SMS_TEMPLATE] as const

const RESOURCE_LIST = Object.freeze({ resources: RESOURCES })
const TEMPLATE_LIST = Object.freeze({ resourceTemplates: TEMPLATES })

// Both eras have them alike (2025-11-25 and 2026-07-28, server/resources).
const METHODS: Methods = {
  'resources/list': { params: checkOnePage, handle: () => RESOURCE_LIST },
  'resources/templates/list': { params: checkOnePage, handle: () => TEMPLATE_LIST },
  'resources/read': {
    params: ({ uri }) => (typeof uri === 'string' ? null : 'uri must be a string'),
    asksApi: ({ uri }) => uri === ACCOUNT_URI || (typeof uri === 'string' && smsIdOf(uri) !== undefined),
    handle: read,
  },
}

/** Adds the resources to what a registry serves. Reading them is free; what a token may read is for the API to say. */
export function withResources(registry: Registry): Registry {
  return {
    ...registry,
    capabilities: { ...registry.capabilities, resources: {} },
    methods: { ...registry.methods, ...METHODS },
  }
}

async function read(params: Params, exchange: Exchange) {
  const uri = params.uri as string
  const content = await contentOf(uri, exchange)
  if (content === undefined) throw new ProtocolError(NOT_FOUND[exchange.era], 'Resource not found', { uri })
  return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(content) }] }
}

async function contentOf(uri: string, exchange: Exchange): Promise<object | undefined> {
  if (uri === ACCOUNT_URI) return readAccount(exchange)
  const id = smsIdOf(uri)
  return id === undefined ? undefined : readSms(exchange, id)
}
