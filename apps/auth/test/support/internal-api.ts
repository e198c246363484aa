import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { checkedTokenContext, INTERNAL_PATHS, internalRequests, type TokenVerdict } from '@vertexsms/contract/internal'
import type { Rate } from '@vertexsms/contract/rest'
import { open } from '@vertexsms/secrets/seal'
import { subkey } from '@vertexsms/secrets/subkey'

/** The internal listener of an API that says of each token what a test wants. */
export interface InternalApiDouble {
  readonly url: string
  /** Tokens that were asked about, as they arrived and were opened. */
  readonly asked: { readonly accountId: string; readonly token: string }[]
  /** Everything that came over the wire. */
  readonly seen: string[]
  verdict: TokenVerdict
  /** What the account pays, and what it has: decimal text, or null where nobody tells. */
  rates: readonly Rate[]
  balance: string | null
  /** What it was asked to cancel, and whether it says that it did. */
  readonly cancels: { readonly accountId: string; readonly messageId: string }[]
  cancelled: boolean
  /** Happens while VertexSMS is asked. */
  meanwhile: () => Promise<unknown>
  /** Answers from now on with this instead; a body of pieces goes on for as long as it is read. */
  answer: {
    readonly status: number
    readonly body: string | Iterable<Uint8Array>
    readonly headers?: Readonly<Record<string, string>>
  } | null
  /** Bytes of such bodies that were taken off our hands. */
  taken: number
  close(): Promise<void>
}

/** Starts one for an operator key: whoever does not prove himself gets 401. */
export async function startInternalApi(operatorKey: Uint8Array): Promise<InternalApiDouble> {
  const proof = `Bearer ${Buffer.from(subkey(operatorKey, 'internal')).toString('base64url')}`
  function* counted(pieces: Iterable<Uint8Array>) {
    for (const piece of pieces) {
      double.taken += piece.byteLength
      yield piece
    }
  }
  const server = createServer(async (request, response) => {
    const body = await text(request)
    double.seen.push(`${request.url}\n${body}`)
    if (double.answer) {
      const { status, body, headers = {} } = double.answer
      response.writeHead(status, headers)
      if (typeof body === 'string') return response.end(body)
      return pipeline(Readable.from(counted(body)), response).catch(() => {})
    }
    if (request.headers.authorization !== proof) return response.writeHead(401).end('{}')
    const give = (answer: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    await double.meanwhile()
    if (request.url === INTERNAL_PATHS.rates) return give({ rates: double.rates })
    if (request.url === INTERNAL_PATHS.balance) return give({ balance: double.balance, currency: 'EUR' })
    if (request.url === INTERNAL_PATHS.cancel) {
      const cancel = internalRequests.cancel.parse(JSON.parse(body))
      double.cancels.push(cancel)
      return give({ cancelled: double.cancelled })
    }
    if (request.url !== INTERNAL_PATHS.checkToken) return response.writeHead(404).end('{}')
    const { accountId, sealedToken } = internalRequests.checkToken.parse(JSON.parse(body))
    const key = subkey(operatorKey, 'upstream-token')
    const token = open(key, Buffer.from(sealedToken, 'base64url'), checkedTokenContext(accountId))
    double.asked.push({ accountId, token })
    return give({ verdict: double.verdict })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const double: InternalApiDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    seen: [],
    verdict: 'accepted',
    rates: [],
    balance: null,
    cancels: [],
    cancelled: true,
    meanwhile: async () => {},
    answer: null,
    taken: 0,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return double
}
