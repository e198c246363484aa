import { PERMISSIONS, type Permission } from '@vertexsms/contract/permissions'
import { isScope, permissionsOf, SCOPE_NAMES, SCOPES } from '@vertexsms/contract/scopes'
import type { Words } from '../words/words.ts'

/** Routes that are charged to the account's balance. */
const CHARGED: ReadonlySet<string> = new Set<Permission>(['POST /sms', 'POST /hlr'])

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
  return permissionsSpend(permissionsOf(scopes.filter(isScope)))
}

/** True where some of what these permissions allow costs money. */
export function permissionsSpend(permissions: readonly string[]): boolean {
  return permissions.some(isCharged)
}
