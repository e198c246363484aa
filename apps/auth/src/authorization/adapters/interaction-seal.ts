import { open, seal } from '@vertexsms/secrets/seal'
import type { AdapterPayload } from 'oidc-provider'

/** The stored form of an interaction: sealed as a whole and bound to its identifier. */
export function sealInteraction(operatorKey: Uint8Array, uid: string, payload: AdapterPayload): string {
  return Buffer.from(seal(operatorKey, JSON.stringify(payload), `interaction:${uid}`)).toString('base64url')
}

/** The payload of a stored interaction. Throws SealError when it was not sealed for this identifier. */
export function openInteraction(operatorKey: Uint8Array, uid: string, stored: unknown): AdapterPayload {
  const { sealed } = stored as { sealed: string }
  return JSON.parse(open(operatorKey, Buffer.from(sealed, 'base64url'), `interaction:${uid}`)) as AdapterPayload
}
