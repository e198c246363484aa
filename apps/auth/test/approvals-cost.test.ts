// What the list of sends that wait asks of the database, which the pages of others share.
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askApproval } from './support/approvals.ts'
import { addBoundedConnection, addMessage } from './support/owners-data.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
let statements = 0
beforeAll(async () => {
  stack = await startStack({
    db: (db) =>
      db.$extends({
        query: {
          $allOperations({ args, query }) {
            statements += 1
            return query(args)
          },
        },
      }) as unknown as Database,
  })
})
afterAll(() => stack.close())

/** One send of each kind on the page: one that waits, one that was approved, one that was sent. */
async function addOfEachKind(accountId: string) {
  const of = { accountId, spenderId: await addBoundedConnection(stack, accountId, 'Claude') }
  await askApproval(stack, of)
  await askApproval(stack, of, { state: 'approved', decidedAt: new Date(), sealedText: null })
  const id = await addMessage(stack, of, { state: 'accepted' })
  const { sendId } = await stack.db.sendMessage.findUniqueOrThrow({ where: { id } })
  await askApproval(stack, of, { state: 'used', decidedAt: new Date(), sealedText: null, sendId })
}

test('takes as many statements for the sends of ten apps as for those of one', async () => {
  const { id: accountId } = await stack.account()
  const person = await stack.person(accountId)
  const looked = async () => {
    statements = 0
    const { html } = await person.get('/approvals')
    return { statements, rows: html.match(/Approved and sent/g)?.length }
  }
  await addOfEachKind(accountId)
  const one = await looked()
  expect(one.rows).toBe(1)
  for (let more = 0; more < 9; more++) await addOfEachKind(accountId)
  expect(await looked()).toEqual({ statements: one.statements, rows: 10 })
  expect(one.statements).toBeGreaterThan(0)
})
