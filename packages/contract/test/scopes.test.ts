import { expect, test } from 'vitest'
import { isPermission, PERMISSIONS } from '../src/permissions.ts'
import { isScope, parseScopes, permissionsOf, SCOPE_NAMES, SCOPES, scopeOfTool, TOOL_NAMES } from '../src/scopes.ts'

test('every tool stands under exactly one scope, and every scope covers a tool', () => {
  expect(new Set(TOOL_NAMES).size).toBe(TOOL_NAMES.length)
  expect(TOOL_NAMES).toHaveLength(10)
  for (const tool of TOOL_NAMES) {
    expect(SCOPE_NAMES.filter((scope) => (SCOPES[scope].tools as readonly string[]).includes(tool))).toEqual([
      scopeOfTool(tool),
    ])
  }
  for (const scope of SCOPE_NAMES) expect(SCOPES[scope].tools.length).toBeGreaterThan(0)
})

test('an unknown tool has no scope, not even a name of Object.prototype', () => {
  expect(scopeOfTool('send_fax')).toBeUndefined()
  expect(scopeOfTool('constructor')).toBeUndefined()
  expect(isScope('constructor')).toBe(false)
  expect(isPermission('GET /everything')).toBe(false)
})

test('the scopes together open every permission exactly once', () => {
  expect(permissionsOf(SCOPE_NAMES).sort()).toEqual([...PERMISSIONS].sort())
  expect(SCOPE_NAMES.flatMap((scope) => SCOPES[scope].permissions)).toHaveLength(PERMISSIONS.length)
})

test('one scope opens its own routes and no others', () => {
  expect(permissionsOf(['sms:rates'])).toEqual(['GET /rates'])
  expect(permissionsOf([])).toEqual([])
})

test('a scope string is read in catalogue order, unknown and repeated names dropped (RFC 6749 §3.3)', () => {
  expect(parseScopes('sms:rates sms:send sms:rates offline_access')).toEqual(['sms:send', 'sms:rates'])
  expect(parseScopes('')).toEqual([])
})
