import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RACING, startWorld, type World } from './support/world.ts'

/** A sample; `pnpm test:full` takes more. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? (process.env.TEST_FULL ? 12 : 4))
const SEED = Number(process.env.PROPERTY_SEED ?? 20261122)

let world: World
beforeAll(async () => {
  // Reports stay away: nothing but the calls themselves moves the balance.
  world = await startWorld({ SANDBOX_DELIVERY_MS: '3600000', SANDBOX_HLR_MS: '3600000' }, { poolSize: RACING })
})
afterAll(() => world.close())

const call = fc.oneof(
  fc.record({
    kind: fc.constant('sms' as const),
    parts: fc.integer({ min: 1, max: 6 }),
    to: fc.constantFrom('37060000001', '37061234567', '4915123456789'),
  }),
  fc.record({ kind: fc.constant('hlr' as const), parts: fc.constant(1), to: fc.constant('37061234567') }),
)

test('whatever is sent at once over two nodes, the balance never goes below zero and every cent is accounted for', async () => {
  const second = await world.startNode()
  await fc.assert(
    fc.asyncProperty(
      fc.array(call, { minLength: 5, maxLength: 40, size: 'max' }),
      fc.integer({ min: 0, max: 2_000_000 }),
      async (calls, balance) => {
        const { accountId, token } = await world.makeAccount(BigInt(balance))
        const answers = await Promise.all(
          calls.map(({ kind, parts, to }, at) => {
            const node = at % 2 ? second : world.node
            return kind === 'hlr'
              ? node.call('POST /hlr', { token, body: { msisdn: to } })
              : node.call('POST /sms', { token, body: { to, from: 'Tests', message: 'x'.repeat(parts * 153) } })
          }),
        )
        for (const { status, body } of answers) {
          if (status !== 200) expect([status, body.error_code]).toEqual([400, 24])
        }
        const account = await world.db.account.findUniqueOrThrow({ where: { id: accountId } })
        const messages = await world.db.message.findMany({ where: { accountId } })
        const lookups = await world.db.hlrLookup.findMany({ where: { accountId } })
        const charged = [...messages, ...lookups].reduce((sum, { priceMicros }) => sum + priceMicros, 0n)
        expect(account.balanceMicros).toBeGreaterThanOrEqual(0n)
        expect(account.balanceMicros + charged).toBe(BigInt(balance))
        expect(messages.length + lookups.length).toBe(answers.filter(({ status }) => status === 200).length)
      },
    ),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  )
}, 300_000)
