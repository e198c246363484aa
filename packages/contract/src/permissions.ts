/**
 * The routes an API token may be allowed to call, as they stand on Settings -> API and in a token's row.
 * `GET /token` needs none: a token may always describe itself.
 */
export const PERMISSIONS = [
  'POST /sms',
  'POST /sms/cost',
  'GET /rates',
  'POST /senderId',
  'POST /senderId/confirm',
  'POST /hlr',
  'GET /hlr',
  'GET /operators',
  'GET /mccmnc',
  'GET /prefixes',
  'POST /numbers/correct',
] as const

/** One route that a token may be allowed to call. */
export type Permission = (typeof PERMISSIONS)[number]

const known: ReadonlySet<string> = new Set(PERMISSIONS)

/** True when `value` is a permission of the catalogue; everything else is refused, never stored. */
export function isPermission(value: string): value is Permission {
  return known.has(value)
}
