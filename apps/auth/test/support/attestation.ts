import { type KeyObject, sign } from 'node:crypto'

// A statement of a device that speaks for itself (WebAuthn §8.4): two certificates of our own making (RFC 5280), of which the
// first tells where the list of those that were called back is kept (§4.2.1.13). DER is written by hand, as no part here makes
// certificates.

const SEQUENCE = 0x30
const INTEGER = 0x02
const OCTETS = 0x04
const ENUMERATED = 0x0a
const inside = (tag: number) => 0xa0 + tag

const ECDSA_WITH_SHA256 = '06082a8648ce3d040302'
const COMMON_NAME = '0603550403'
const CRL_DISTRIBUTION_POINTS = '0603551d1f'
const KEY_DESCRIPTION = '060a2b06010401d679020111'

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const hex = (text: string) => Buffer.from(text, 'hex')
const text = (tag: number, value: string) => der(tag, Buffer.from(value))
const name = (value: string) => der(SEQUENCE, der(0x31, der(SEQUENCE, hex(COMMON_NAME), text(0x0c, value))))
const extension = (oid: string, value: Uint8Array) => der(SEQUENCE, hex(oid), der(OCTETS, value))

function certificate(of: {
  readonly issuer: string
  readonly subject: string
  readonly publicKey: KeyObject
  readonly signedBy: KeyObject
  readonly extensions: readonly Uint8Array[]
}): Uint8Array {
  const algorithm = der(SEQUENCE, hex(ECDSA_WITH_SHA256))
  const signed = der(
    SEQUENCE,
    der(inside(0), der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.from([1])),
    algorithm,
    name(of.issuer),
    der(SEQUENCE, text(0x17, '200101000000Z'), text(0x17, '491231235959Z')),
    name(of.subject),
    of.publicKey.export({ format: 'der', type: 'spki' }),
    ...(of.extensions.length > 0 ? [der(inside(3), der(SEQUENCE, ...of.extensions))] : []),
  )
  const signature = sign('sha256', signed, of.signedBy)
  return new Uint8Array(der(SEQUENCE, signed, algorithm, der(0x03, Buffer.from([0]), signature)))
}

/** A statement of an Android key whose certificate names `listUrl`; `key` is the passkey's own, and its maker's. */
export function androidKeyStatement(
  key: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  { signed, clientDataHash, listUrl }: { signed: Uint8Array; clientDataHash: Uint8Array; listUrl: string },
): { readonly fmt: string; readonly attStmt: Map<string, unknown> } {
  const zero = Buffer.from([0])
  const list = der(SEQUENCE)
  const described = der(
    SEQUENCE,
    ...[der(INTEGER, zero), der(ENUMERATED, zero), der(INTEGER, zero), der(ENUMERATED, zero)],
    ...[der(OCTETS, clientDataHash), der(OCTETS), list, list],
  )
  const points = der(SEQUENCE, der(SEQUENCE, der(inside(0), der(inside(0), text(0x86, listUrl)))))
  const made = { issuer: 'maker', publicKey: key.publicKey, signedBy: key.privateKey }
  const extensions = [extension(KEY_DESCRIPTION, described), extension(CRL_DISTRIBUTION_POINTS, points)]
  const chain = [
    certificate({ ...made, subject: 'device', extensions }),
    certificate({ ...made, subject: 'maker', extensions: [] }),
  ]
  const sig = new Uint8Array(sign('sha256', signed, key.privateKey))
  return {
    fmt: 'android-key',
    attStmt: new Map<string, unknown>([
      ['alg', -7],
      ['sig', sig],
      ['x5c', chain],
    ]),
  }
}

/** A statement by the passkey's own key (WebAuthn §8.2), of which some devices cannot be kept. */
export function selfStatement(
  { privateKey }: { readonly privateKey: KeyObject },
  { signed }: { readonly signed: Uint8Array },
): { readonly fmt: string; readonly attStmt: Map<string, unknown> } {
  const sig = new Uint8Array(sign('sha256', signed, privateKey))
  return {
    fmt: 'packed',
    attStmt: new Map<string, unknown>([
      ['alg', -7],
      ['sig', sig],
    ]),
  }
}
