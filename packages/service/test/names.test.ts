import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLookup, type Lookup } from '../src/names.ts'
import { createOutbound } from '../src/outbound.ts'

const A = 1
const AAAA = 28
const ADDRESSES: Record<string, Record<number, number[]>> = {
  'both.example.com': { [A]: [93, 184, 215, 14], [AAAA]: [0x26, 6, ...Array(13).fill(0), 1] },
  'quick.example.com': { [A]: [93, 184, 215, 14] },
  'half.example.com': { [A]: [93, 184, 215, 14] },
  'inside.example.com': { [A]: [10, 0, 0, 1] },
}

// A name server that says nothing of names that begin with `slow` until it is told to refuse them, and nothing of the
// IPv6 half of one that begins with `half`.
const server = createSocket('udp4')
const asked = new Set<string>()
const unanswered: (() => void)[] = []
let servers: string[]
beforeAll(async () => {
  server.on('message', answer)
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  servers = [`127.0.0.1:${server.address().port}`]
})
afterAll(() => server.close())

function answer(query: Buffer, { address, port }: RemoteInfo): void {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length))
    at += length + 1
  }
  const name = labels.join('.').toLowerCase()
  const type = query.readUInt16BE(at + 1)
  asked.add(name)
  const question = query.subarray(12, at + 5)
  if (name.startsWith('slow')) unanswered.push(() => send(query, question, 0x8183))
  if (name.startsWith('slow') || (name.startsWith('half') && type === AAAA)) return
  const data = ADDRESSES[name]?.[type]
  const record = data ? Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data]) : Buffer.alloc(0)
  send(query, question, ADDRESSES[name] ? 0x8180 : 0x8183, record)

  function send(asking: Buffer, asked: Buffer, flags: number, found = Buffer.alloc(0)): void {
    const header = Buffer.from(asking.subarray(0, 12))
    header.writeUInt16BE(flags, 2)
    header.writeUInt16BE(found.length > 0 ? 1 : 0, 6)
    header.fill(0, 8)
    server.send(Buffer.concat([header, asked, found]), port, address)
  }
}

describe('a name', () => {
  it('has the addresses of both families, or of the one that answers', async () => {
    const lookup = createLookup({ servers, timeoutMs: 300 })
    expect(await lookup('both.example.com')).toEqual([
      { address: '93.184.215.14', family: 4 },
      { address: '2606::1', family: 6 },
    ])
    for (const host of ['quick.example.com', 'half.example.com']) {
      expect(await lookup(host), host).toEqual([{ address: '93.184.215.14', family: 4 }])
    }
  })

  it('that does not exist, or of which nothing is said, is refused within its time', async () => {
    const lookup = createLookup({ servers, timeoutMs: 300 })
    await expect(lookup('none.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(lookup('slow.example.com')).rejects.toMatchObject({
      code: expect.stringMatching(/ECANCELLED|ETIMEOUT/),
    })
  })

  it('of this machine is found in its hosts file', async () => {
    const found = await createLookup({ servers })('localhost')
    expect(['127.0.0.1', '::1']).toContain(found[0]?.address)
    expect(asked).not.toContain('localhost')
  })

  it('that is slow delays no other, however many such names there are', async () => {
    const lookup = createLookup({ servers, timeoutMs: 60_000 })
    const ended: string[] = []
    const slow = Array.from({ length: 64 }, (_, at) => `slow-${at}.example.com`)
    const all = slow.map((host) => lookup(host).catch(() => ended.push(host)))
    // All of them are under way before the quick one begins.
    while (!slow.every((host) => asked.has(host))) await new Promise((resolve) => setImmediate(resolve))
    expect(await lookup('quick.example.com')).toHaveLength(1)
    expect(ended).toEqual([])
    for (const refuse of unanswered.splice(0)) refuse()
    await Promise.all(all)
    expect(ended).toHaveLength(slow.length)
  })
})

describe('the outbound guard', () => {
  const fetched = (lookup: Lookup, host: string) => {
    const outbound = createOutbound({ allowLocalhost: false, lookup })
    return outbound.fetch(`https://${host}/`, {}, { maxBytes: 10, timeoutMs: 5_000 }).finally(() => outbound.close())
  }

  it('judges what the name servers say', async () => {
    const lookup = createLookup({ servers, timeoutMs: 300 })
    await expect(fetched(lookup, 'inside.example.com')).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' })
    await expect(fetched(lookup, 'slow-last.example.com')).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })
})
