// What costs money of what an app or a token may do, and which limits can bind it.

import type { Permission } from '@vertexsms/contract/permissions'
import { isScope, permissionsOf, SCOPE_NAMES, type Scope } from '@vertexsms/contract/scopes'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import type { OwnersRules } from './spenders.ts'

/** Routes that are charged to the account's balance. */
const CHARGED: ReadonlySet<string> = new Set<Permission>(['POST /sms', 'POST /hlr'])

/** Sends a PIN to a number that is to be a sender. */
const PIN_ROUTE: Permission = 'POST /senderId'

/** Scopes under which nothing is spent, registered or changed. */
export const READING_SCOPES: readonly Scope[] = SCOPE_NAMES.filter((scope) => !permissionsBound(permissionsOf([scope])))

/** True where all that these scopes allow is to read. */
export function readsOnly(scopes: readonly Scope[]): boolean {
  return scopes.every((scope) => READING_SCOPES.includes(scope))
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
