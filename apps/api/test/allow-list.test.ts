import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EDGE_SECRET, startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

describe('an IP allow-list', () => {
  const forwarded = (address: string, secret = EDGE_SECRET) => ({
    'x-vertexsms-client-address': address,
    'x-vertexsms-edge-secret': secret,
  })

  test.each([
    [['127.0.0.1'], {}, 200],
    [['127.0.0.0/8'], {}, 200],
    [['::ffff:127.0.0.1'], {}, 200],
    [['::ffff:127.0.0.0/104'], {}, 200],
    [['0.0.0.0/0'], {}, 200],
    [['10.0.0.0/8', '127.0.0.1/32'], {}, 200],
    [['192.0.2.1'], {}, 401],
    [['::/0'], {}, 401],
    [['::1'], {}, 401],
    [['127.0.0.1/33'], {}, 401],
    [['127.0.0.1/'], {}, 401],
    [['localhost'], {}, 401],
    [['127.1'], {}, 401],
    [[''], {}, 401],
    [['::ffff:127.0.0.1/64'], {}, 401],
    [['::ffff:127.0.0.1/95', '127.0.0.1'], {}, 200],
    [['::/0', '::ffff:0:0/96'], {}, 200],
    [['fe80::1%eth0'], forwarded('fe80::1%eth0'), 401],
    // The address that our MCP server forwards.
    [['192.0.2.1'], forwarded('192.0.2.1'), 200],
    [['192.0.2.0/24'], forwarded('::ffff:192.0.2.77'), 200],
    [['192.0.2.0/24'], forwarded('::ffff:c000:24d'), 200],
    [['2001:db8::/32'], forwarded('2001:0DB8:0000::7'), 200],
    [['fe80::1'], forwarded('fe80::1%eth0'), 200],
    [['192.0.2.1'], forwarded('192.0.2.2'), 401],
    [['127.0.0.1'], forwarded('192.0.2.1'), 401],
    [['127.0.0.1'], forwarded(''), 401],
    [['127.0.0.1'], forwarded('unknown'), 401],
    [['127.0.0.1'], forwarded('192.0.2.1, 127.0.0.1'), 401],
    [['127.0.0.1'], { 'x-vertexsms-edge-secret': EDGE_SECRET }, 401],
    // Without the secret nobody speaks for another address.
    [['192.0.2.1'], forwarded('192.0.2.1', 'wrong'), 401],
    [['192.0.2.1'], { 'x-vertexsms-client-address': '192.0.2.1' }, 401],
    [['127.0.0.1'], forwarded('192.0.2.1', `${EDGE_SECRET}x`), 200],
    [['192.0.2.1'], { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' }, 401],
  ])('%j with headers %j answers %i', async (ipAllowList, headers, status) => {
    const { token } = await world.makeToken({ ipAllowList })
    const answer = await world.node.call('GET /token', { token, headers })
    expect(answer.status).toBe(status)
    if (status === 401) expect(answer.body.code).toBe('IP_NOT_ALLOWED')
  })

  test.each([
    ['2::', ['1::', '2::'], ['1::2', '::']],
    ['50.0.0.1', ['10.0.0.1/2', '10.0.0.0/8'], ['10.0.0.1/21', '0.0.0.0/8']],
  ])('is told from another that reads alike when written without a gap (%s)', async (address, holds, holdsNot) => {
    const ask = async (ipAllowList: string[]) => {
      const { token } = await world.makeToken({ ipAllowList })
      return (await world.node.call('GET /token', { token, headers: forwarded(address) })).status
    }
    expect([await ask(holds), await ask(holdsNot)]).toEqual([200, 401])
  })

  test('takes the address from a proxy only where one is trusted', async () => {
    const { token } = await world.makeToken({ ipAllowList: ['198.51.100.7'] })
    const behindProxy = await world.startNode({ TRUST_PROXY: '1' })
    const headers = { 'x-forwarded-for': '203.0.113.1, 198.51.100.7' }
    expect((await behindProxy.call('GET /token', { token, headers })).status).toBe(200)
    expect((await world.node.call('GET /token', { token, headers })).status).toBe(401)
  })

  test('is asked before the permission', async () => {
    const { token } = await world.makeToken({ ipAllowList: ['192.0.2.1'], permissions: [] })
    expect((await world.node.call('GET /rates', { token })).body.code).toBe('IP_NOT_ALLOWED')
  })
})
