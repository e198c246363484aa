import { deliveryReportSchema, hlrResultSchema, senderNotificationSchema } from '@vertexsms/contract/rest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { eventually } from './support/eventually.ts'
import { startReceiver } from './support/receiver.ts'
import { startWorld, type World } from './support/world.ts'

let world: World
let receiver: Awaited<ReturnType<typeof startReceiver>>
beforeAll(async () => {
  receiver = await startReceiver()
  world = await startWorld()
})
afterAll(async () => {
  await world?.close()
  await receiver?.close()
})

const postOf = async (path: string, id: unknown) =>
  (await eventually(async () => receiver.posts.find((post) => post.path === path && post.body.id === String(id)))).body

async function accepted(request: string, body: unknown) {
  const answer = await world.node.call(request, { token: world.token, body })
  expect(answer.status).toBe(200)
  return [answer.body].flat()[0]
}

// The contract lets a reader overlook what a later version adds; what is posted has exactly its members.
describe('what is posted is what the contract says, and not a member more', () => {
  const sms = { from: 'Tests', message: 'Hello' }

  test.each([
    ['37060000001', 1],
    ['447700900001', 2],
  ])('to dlrUrl, for %s', async (to, status) => {
    const body = await postOf('/dlr', await accepted('POST /sms', { ...sms, to, dlrUrl: `${receiver.url}/dlr` }))
    expect(deliveryReportSchema.strict().parse(body).status).toBe(status)
  })

  test.each(['37061234567', '447700900001'])('to callBackUrl, for %s', async (msisdn) => {
    const body = await postOf('/hlr', await accepted('POST /hlr', { msisdn, callBackUrl: `${receiver.url}/hlr` }))
    const ported = z.array(hlrResultSchema.shape.ported.element.strict())
    hlrResultSchema.extend({ ported }).strict().parse(body)
  })

  test.each([
    ['Bakery 7', 'confirmed'],
    ['Bank', 'rejected'],
  ])('to notificationUrl, for %s', async (name, status) => {
    const request = { type: 'AlphaNumeric', name, category: 'Brand', categoryDescription: 'Our shop' }
    const body = await postOf(
      '/name',
      await accepted('POST /senderId', { ...request, notificationUrl: `${receiver.url}/name` }),
    )
    expect(senderNotificationSchema.strict().parse(body).status).toBe(status)
  })
})
