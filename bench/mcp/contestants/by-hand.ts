// node:http and nothing else doing the work of one tool by hand: parse, look the token up, call, answer in the tool's
// shape. Not a server anyone could ship; it says what the work itself costs above the bare proxy.
import { createServer } from 'node:http'
import { callApi } from './api.ts'
import { announce, bearerOf, verifyOnce } from './setup.ts'
import { toResult } from './tools.ts'

interface Call {
  readonly id: number
  readonly method: string
  readonly params?: { readonly arguments?: { readonly operatorId?: number } }
}

async function answer(authorization: string | undefined, text: string): Promise<string> {
  const { token } = await verifyOnce(bearerOf(authorization))
  const call = JSON.parse(text) as Call
  const operatorId = call.params?.arguments?.operatorId
  if (call.method !== 'tools/call' || !Number.isInteger(operatorId)) throw new Error('not a call of get_operator')
  const operator = (await callApi(token, 'GET', `/operators/${operatorId}`)) as Record<string, unknown>
  return JSON.stringify({ jsonrpc: '2.0', id: call.id, result: { ...toResult(operator), resultType: 'complete' } })
}

const server = createServer((request, response) => {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk) => {
    text += chunk
  })
  request.on('end', () => {
    answer(request.headers.authorization, text).then(
      (body) => {
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
          .end(body)
      },
      () => response.writeHead(400).end(),
    )
  })
})
server.listen(0, '127.0.0.1', () => announce(server.address()))
