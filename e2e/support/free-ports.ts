import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

/** Below those that a system hands out by itself: nobody who asks for any port, or calls out, takes one of these meanwhile. */
const FIRST = 12_000
const LAST = 32_000

/** `count` different TCP ports of the loopback interface that nothing listens on at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const taken = new Map<number, Server>()
  while (taken.size < count) {
    const port = randomInt(FIRST, LAST)
    const server = taken.has(port) ? null : await listenOn(port)
    if (server !== null) taken.set(port, server)
  }
  await Promise.all([...taken.values()].map((server) => new Promise((resolve) => server.close(resolve))))
  return [...taken.keys()]
}

/** Null where the port is taken. */
function listenOn(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
