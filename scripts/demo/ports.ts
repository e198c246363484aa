import { type AddressInfo, createServer } from 'node:net'

const PAUSE_MS = 200

/** Waits until every named port is free. Throws an Error that names the first one that is still taken after `waitMs`. */
export async function waitForPorts(
  ports: Record<string, number>,
  { host, waitMs, say }: { host: string; waitMs: number; say: (text: string) => void },
) {
  const begun = Date.now()
  for (const [name, port] of Object.entries(ports)) {
    let told = false
    while (!(await isFree(port, host))) {
      if (Date.now() - begun > waitMs) {
        throw new Error(`port ${port} is taken by another program; stop it or choose another port with ${name}=...`)
      }
      if (!told) say(`waiting for port ${port} (${name}) to become free`)
      told = true
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}

/** A port of this machine that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ port: 0, host: '127.0.0.1' }, () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host }, () => probe.close(() => resolve(true)))
  })
}
