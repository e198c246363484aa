import type { Permission } from './permissions.ts'

/** What one OAuth scope means: to the person who approves it, to the gatekeeper, and to the tools. */
export interface ScopeDefinition {
  /** What it is called where there is no room for its sentence, which begins with these words. */
  readonly shortName: string
  /** The sentence on the consent page and in the documentation. */
  readonly description: string
  /** True when calls under this scope cost money; the consent page marks it. */
  readonly billable: boolean
  /** The API routes the scope opens. */
  readonly permissions: readonly Permission[]
  /** The MCP tools the scope covers; every tool stands under exactly one scope. */
  readonly tools: readonly string[]
}

/**
 * The five scopes: the only place where they are defined. Metadata documents, challenges, the consent
 * page, the permissions of issued tokens and the tools derive from this table, in this order.
 */
export const SCOPES = {
  'sms:send': {
    shortName: 'Send SMS',
    description: 'Send SMS on your behalf.',
    billable: true,
    permissions: ['POST /sms', 'POST /sms/cost'],
    tools: ['send_sms'],
  },
  'sms:rates': {
    shortName: 'Read SMS rates',
    description: 'Read SMS rates.',
    billable: false,
    permissions: ['GET /rates'],
    tools: ['get_sms_rates'],
  },
  'sender:write': {
    shortName: 'Register and confirm Sender IDs',
    description: 'Register and confirm Sender IDs on your account.',
    billable: false,
    permissions: ['POST /senderId', 'POST /senderId/confirm'],
    tools: ['register_sender_id', 'register_msisdn_sender', 'confirm_msisdn_sender'],
  },
  'hlr:lookup': {
    shortName: 'Run HLR lookups',
    description: 'Run HLR lookups (billable per query).',
    billable: true,
    permissions: ['POST /hlr', 'GET /hlr'],
    tools: ['lookup_hlr'],
  },
  'numbers:read': {
    shortName: 'Read mobile network metadata and validate phone numbers',
    description: 'Read mobile network metadata and validate phone numbers.',
    billable: false,
    permissions: ['GET /operators', 'GET /mccmnc', 'GET /prefixes', 'POST /numbers/correct'],
    tools: ['get_operator', 'get_mcc_mnc_list', 'get_mobile_prefixes', 'correct_phone_number'],
  },
} as const satisfies Record<string, ScopeDefinition>

/** The name of one of the five scopes. */
export type Scope = keyof typeof SCOPES

/** The name of one of the ten tools. */
export type ToolName = (typeof SCOPES)[Scope]['tools'][number]

/** The five scope names, in the order in which they are shown and advertised. */
export const SCOPE_NAMES = Object.keys(SCOPES) as readonly Scope[]

/** The ten tool names, in the order in which `tools/list` gives them. */
export const TOOL_NAMES = SCOPE_NAMES.flatMap((scope) => SCOPES[scope].tools) as readonly ToolName[]

/** True when `value` is one of the five scope names. */
export function isScope(value: string): value is Scope {
  return Object.hasOwn(SCOPES, value)
}

/** The scopes of a space-separated scope string (RFC 6749 §3.3), unknown ones dropped, in catalogue order. */
export function parseScopes(value: string): Scope[] {
  const wanted = new Set(value.split(' '))
  return SCOPE_NAMES.filter((scope) => wanted.has(scope))
}

/** The API routes that a set of scopes opens, without repeats. */
export function permissionsOf(scopes: Iterable<Scope>): Permission[] {
  return [...new Set([...scopes].flatMap((scope): readonly Permission[] => SCOPES[scope].permissions))]
}

const scopeByTool = new Map<string, Scope>(
  SCOPE_NAMES.flatMap((scope) => SCOPES[scope].tools.map((tool) => [tool, scope] as const)),
)

/** The one scope a tool stands under; undefined for an unknown tool. */
export function scopeOfTool(tool: string): Scope | undefined {
  return scopeByTool.get(tool)
}
