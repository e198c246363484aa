import type { FastifyRequest } from 'fastify'

/** What stands between the texts of a field that was sent more than once. */
const BETWEEN = ', '

/**
 * The text of one field of a form; the empty text where it is missing. One that was sent more than once is all of its texts
 * in a row, which no field that takes one value takes: it must not pass for one that was left empty, and so for no limit.
 */
export function textField(request: FastifyRequest, name: string): string {
  return oneText((request.body as Record<string, unknown> | undefined)?.[name]) ?? ''
}

/** The same of a value as a form holds it; undefined for what no form holds. */
export function oneText(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(BETWEEN)
  return typeof value === 'string' ? value : undefined
}

/** True where a form has this field, empty or not. */
export function hasField(request: FastifyRequest, name: string): boolean {
  return (request.body as Record<string, unknown> | undefined)?.[name] !== undefined
}
