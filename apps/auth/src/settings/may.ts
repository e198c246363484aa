import { PERMISSIONS } from '@vertexsms/contract/permissions'
import { isScope, SCOPE_NAMES, SCOPES } from '@vertexsms/contract/scopes'
import type { Words } from '../words/words.ts'

/** What a token may do, in as few words as say it all: a whole scope in one, and single routes besides. */
export function mayWords(permissions: readonly string[], t: Words): string[] {
  const held = new Set(permissions)
  if (PERMISSIONS.every((permission) => held.has(permission))) return [t.routes.everything]
  const whole = SCOPE_NAMES.filter((scope) => SCOPES[scope].permissions.every((permission) => held.has(permission)))
  const words = PERMISSIONS.filter((permission) => held.has(permission)).map((permission) => {
    const scope = whole.find((name) => SCOPES[name].permissions.some((one) => one === permission))
    return scope ? t.scopes.named[scope] : t.routes.route[permission]
  })
  return [...new Set(words)]
}

/** What a connection may do, a sentence each, as the consent page says it. */
export function mayOfScopes(scopes: readonly string[], t: Words): string[] {
  return scopes.filter(isScope).map((scope) => t.scopes.may[scope])
}
