import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isoCBOR } from '@simplewebauthn/server/helpers'

/** What an authenticator says of itself: of a key pair, what it has to sign, which ends with the hash. */
export type Attest = (
  key: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  about: { readonly signed: Uint8Array; readonly clientDataHash: Uint8Array },
) => { readonly fmt: string; readonly attStmt: Map<string, unknown> }

const NOTHING: Attest = () => ({ fmt: 'none', attStmt: new Map() })

/** A security key in software (WebAuthn §6): one discoverable credential that always says yes. */
export class Authenticator {
  readonly #id = randomBytes(16)
  readonly #privateKey: KeyObject
  readonly #publicKey: KeyObject
  readonly #cose: Map<number, number | Uint8Array>
  readonly #origin: string
  readonly #countOf: (use: number) => number
  #userHandle = ''
  #uses = 0

  /** `countOf` tells what its counter says at each use, the making of it the first; those that are synced say 0 for ever. */
  constructor(origin: string, countOf = (use: number) => use) {
    this.#countOf = countOf
    this.#origin = origin
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    this.#privateKey = privateKey
    this.#publicKey = publicKey
    const coordinate = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'))
    this.#cose = new Map<number, number | Uint8Array>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, coordinate(x)],
      [-3, coordinate(y)],
    ])
  }

  /** The answer of a browser to the options of the passkeys page, as its form sends it. */
  create(options: string, attest = NOTHING): string {
    const { challenge, user } = JSON.parse(options) as { challenge: string; user: { id: string } }
    this.#userHandle = user.id
    const cose = isoCBOR.encode(this.#cose as Parameters<typeof isoCBOR.encode>[0])
    const length = Buffer.from([0, this.#id.length])
    const authData = Buffer.concat([this.#authData(0x45), Buffer.alloc(16), length, this.#id, cose])
    const clientDataJSON = this.#clientData('webauthn.create', challenge)
    const clientDataHash = createHash('sha256').update(clientDataJSON).digest()
    const key = { privateKey: this.#privateKey, publicKey: this.#publicKey }
    const { fmt, attStmt } = attest(key, { signed: Buffer.concat([authData, clientDataHash]), clientDataHash })
    const attestation = new Map<string, unknown>([
      ['fmt', fmt],
      ['attStmt', attStmt],
      ['authData', new Uint8Array(authData)],
    ])
    return this.#answer({
      clientDataJSON,
      attestationObject: Buffer.from(isoCBOR.encode(attestation as Parameters<typeof isoCBOR.encode>[0])),
    })
  }

  /** The answer of a browser to the options of the sign-in page. */
  get(options: string): string {
    const { challenge } = JSON.parse(options) as { challenge: string }
    const authenticatorData = this.#authData(0x05)
    const clientDataJSON = this.#clientData('webauthn.get', challenge)
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientDataJSON).digest()])
    const signature = sign('sha256', signed, this.#privateKey)
    const userHandle = Buffer.from(this.#userHandle, 'base64url')
    return this.#answer({ clientDataJSON, authenticatorData, signature, userHandle })
  }

  #answer(response: Record<string, Buffer>): string {
    const id = this.#id.toString('base64url')
    const encoded = Object.entries(response).map(([name, bytes]) => [name, bytes.toString('base64url')])
    return JSON.stringify({
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: Object.fromEntries(encoded),
    })
  }

  #authData(flags: number): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(this.#countOf(++this.#uses))
    return Buffer.concat([
      createHash('sha256').update(new URL(this.#origin).hostname).digest(),
      Buffer.from([flags]),
      counter,
    ])
  }

  #clientData(type: string, challenge: string): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.#origin, crossOrigin: false }))
  }
}
