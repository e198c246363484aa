import { SIZES } from '../limits.ts'

/**
 * What is too long in an authorization request, in words safe to show; null when everything fits. Waiting requests are
 * stored as they came, so what they may hold is bounded: `state`, each other parameter, and all of them together.
 */
export function oversizedParameter(params: URLSearchParams): string | null {
  let total = 0
  for (const [name, value] of params) {
    const bytes = Buffer.byteLength(value)
    const maxBytes = name === 'state' ? SIZES.stateBytes : SIZES.parameterBytes
    // The name is repeated only when it is one we know; any other is a stranger's text.
    if (bytes > maxBytes)
      return name === 'state' ? `state may have ${maxBytes} bytes` : `a parameter may have ${maxBytes} bytes`
    total += Buffer.byteLength(name) + bytes
  }
  return total > SIZES.parametersBytes ? `the parameters may have ${SIZES.parametersBytes} bytes in all` : null
}
