import { PERMISSIONS, type Permission } from '@vertexsms/contract/permissions'
import { isScope, permissionsOf, SCOPE_NAMES, SCOPES } from '@vertexsms/contract/scopes'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import type { OwnersRules } from '../connections/spenders.ts'
import type { Words } from '../words/words.ts'

/** Routes that are charged to the account's balance. */
const CHARGED: ReadonlySet<string> = new Set<Permission>(['POST /sms', 'POST /hlr'])

/** Sends a PIN to a number that is to be a sender. */
const PIN_ROUTE: Permission = 'POST /senderId'

/** What a token may do, in as few words as say it all: a whole scope in one, and single routes besides. */
export function mayWords(permissions: readonly string[], t: Words): string[] {
  const held = new Set(permissions)
  if (PERMISSIONS.every((permission) => held.has(permission))) return [t.routes.everything]
  const whole = SCOPE_NAMES.filter((scope) => SCOPES[scope].permissions.every((permission) => held.has(permission)))
  const words = PERMISSIONS.filter((permission) => held.has(permission)).map((permission) => {
    const scope = whole.find((name) => SCOPES[name].permissions.some((one) => one === permission))
    return scope ? t.routes.scope[scope] : t.routes.route[permission]
  })
  return [...new Set(words)]
}

/** What a connection may do, a sentence each, as the consent page says it. */
export function mayOfScopes(scopes: readonly string[], t: Words): string[] {
  return scopes.filter(isScope).map((scope) => t.scopes.may[scope])
}

/** True for a route that is charged to the account's balance. */
export function isCharged(permission: string): boolean {
  return CHARGED.has(permission)
}

/** True where some of what these scopes allow costs money. */
export function scopesSpend(scopes: readonly string[]): boolean {
  return permissionsSpend(permissionsOfScopes(scopes))
}

/** True where some of what these permissions allow costs money. */
export function permissionsSpend(permissions: readonly string[]): boolean {
  return permissions.some(isCharged)
}

/** True where some limit can bind what these permissions allow: what costs money, and PINs, which are sent for nothing. */
export function permissionsBound(permissions: readonly string[]): boolean {
  return permissionsSpend(permissions) || permissions.includes(PIN_ROUTE)
}

/** Of rules those that can bind what these permissions allow: amounts bind nothing that costs no money. */
export function rulesThatBind<Rules extends OwnersRules>(rules: Rules, permissions: readonly string[]): Rules {
  if (permissionsSpend(permissions)) return rules
  if (!permissionsBound(permissions)) return { ...rules, ...NO_LIMITS, askAboveMicros: null, askNewCountry: false }
  return { ...rules, maxPerSendMicros: null, maxPerDayMicros: null, maxTotalMicros: null, askAboveMicros: null }
}

/** The permissions of a connection, by its scopes. */
export function permissionsOfScopes(scopes: readonly string[]): readonly string[] {
  return permissionsOf(scopes.filter(isScope))
}
