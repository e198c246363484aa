// The database goes away between a mail server's yes and the mark of it.
import { createDatabase, type Database } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { type Door, doorTo } from '@vertexsms/db/testing/door'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { later, realTime } from './support/clock.ts'
import { type MailServer, startMailServer } from './support/mail-server.ts'
import { makeAccount } from './support/people.ts'
import { hiddenField } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

let server: MailServer
let test: TestDatabase
let door: Door
let db: Database
let stack: Stack
let taken = 0
let outage: { readonly turnedAway: Promise<void> } | undefined
beforeAll(async () => {
  server = await startMailServer({
    onData(stream, _session, done) {
      stream.resume().on('end', () => {
        taken += 1
        if (taken === 1) {
          outage = { turnedAway: door.shutAfter('no statement') }
          door.shut()
        }
        done()
      })
    },
  })
  test = await testDatabase()
  door = await doorTo(test.url)
  db = createDatabase({ url: door.url, poolSize: 2, namedStatements: false })
  const settings = { SMTP_URL: server.url, MAIL_FROM: 'connect@vertexsms.example' }
  stack = await startStack({ test, db: () => db, settings })
})
afterAll(async () => {
  door?.open()
  await stack?.close()
  await realTime(stack)
  await db?.$disconnect()
  await door?.close()
  await test?.close()
  await server?.close()
})

it('a mail that its server has taken is not sent again once the database is back', async () => {
  const { email } = await makeAccount(stack)
  const person = await stack.person()
  const csrf = hiddenField((await person.get('/forgot-password')).html, 'csrf')
  await person.post('/forgot-password', Object.entries({ csrf, email }))
  await expect.poll(() => outage, { timeout: 20_000 }).toBeDefined()
  await outage?.turnedAway
  door.open()
  await expect
    .poll(
      async () => {
        await later(60, stack)
        return stack.db.passwordRequest.count({ where: { email, nextAt: { not: null } } })
      },
      { timeout: 20_000, interval: 500 },
    )
    .toBe(0)
  expect(taken).toBe(1)
})
