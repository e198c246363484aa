import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A customer's server: keeps what was posted to it and answers as it is told. */
export async function startReceiver(
  answer: (
    request: IncomingMessage,
    count: number,
  ) => { status: number; body: string } | Promise<{ status: number; body: string }> = () => ({
    status: 200,
    body: 'OK',
  }),
) {
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on the members it expects
  const posts: { path: string; body: any; headers: IncomingMessage['headers'] }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', async () => {
      posts.push({
        path: request.url ?? '',
        body: JSON.parse(Buffer.concat(chunks).toString() || 'null'),
        headers: request.headers,
      })
      const { status, body } = await answer(request, posts.length)
      response.writeHead(status, { 'content-type': 'text/plain' }).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  return {
    url,
    posts,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
