// Mail servers as they are on a bad day. The one that is called stands behind a door: it is well, or does what a test says.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { later, realTime } from './support/clock.ts'
import { type MailServer, startMailServer } from './support/mail-server.ts'
import { makeAccount } from './support/people.ts'
import { hiddenField } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const PASSWORD = 'a-password-of-ours'
const OPERATOR_KEY = randomBytes(32).toString('base64url')
/** The password as it is sent (RFC 4616). */
const SAID = Buffer.from(`\0mailer\0${PASSWORD}`).toString('base64')
/** For servers that say nothing; those that do have the time of a busy machine. */
const HASTY_MS = 400
const TWO_MEGABYTES = 2 << 20

/** What happens to one connection. */
type Manner = (socket: Socket) => void

const WELL: Readonly<Record<string, string>> = {
  greeting: '220 mail.example',
  EHLO: '250-mail.example\r\n250 AUTH PLAIN',
  AUTH: '235 2.7.0 signed in',
  MAIL: '250 2.1.0 sender',
  RCPT: '250 2.1.5 recipient',
  DATA: '354 go on',
  '.': '250 2.0.0 taken',
  QUIT: '221 bye',
}

/** A server that answers each command as {@link WELL}, but for these; null says nothing, and no text closes. */
function answering(changed: Readonly<Record<string, string | null>>): Manner {
  const answers = { ...WELL, ...changed }
  return (socket) => {
    let inData = false
    const say = (to: string) => {
      const answer = answers[to]
      if (answer === '') socket.end()
      else if (answer) socket.write(`${answer}\r\n`)
      if (to === 'DATA' && answer) inData = true
    }
    createInterface({ input: socket }).on('line', (line) => {
      if (inData && line !== '.') return
      inData = false
      say(line === '.' ? line : (line.split(' ')[0] ?? '').toUpperCase())
    })
    say('greeting')
  }
}

let well: MailServer
let door: Server
/** Hands every connection on to the server that is well. */
const isWell: Manner = (socket) => void socket.pipe(connect(Number(new URL(well.url).port), '127.0.0.1')).pipe(socket)
let manner = isWell
let calls = 0
const open = new Set<Socket>()

beforeAll(async () => {
  well = await startMailServer()
  door = createServer((socket) => {
    calls += 1
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    manner(socket)
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
})
beforeEach(() => {
  calls = 0
})
afterAll(async () => {
  await well?.close()
  for (const socket of open) socket.destroy()
  door?.close()
})

/** A node that sends its mail through the door. */
function node(test: TestDatabase, settings: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const { port } = door.address() as AddressInfo
  const url = `smtp://mailer:${PASSWORD}@127.0.0.1:${port}`
  return startStack({
    test,
    mailPollMs: 20,
    settings: { SMTP_URL: url, MAIL_FROM: 'connect@vertexsms.example', OPERATOR_KEY, ...settings },
  })
}

/** Somebody forgets a password; resolves with the address. */
async function forgotten(stack: Stack): Promise<string> {
  const { email } = await makeAccount(stack)
  const person = await stack.person()
  const csrf = hiddenField((await person.get('/forgot-password')).html, 'csrf')
  expect((await person.post('/forgot-password', Object.entries({ csrf, email }))).status).toBe(200)
  return email
}

/** The server was called, no node holds the mail any more, and it waits for another try or for none. */
async function expectLeft(stack: Stack, email: string, left: 'waiting' | 'over'): Promise<void> {
  const read = async () => {
    const row = await stack.db.passwordRequest.findFirst({ where: { email } })
    return [calls > 0, row?.claimedUntil ?? null, row?.nextAt === null ? 'over' : 'waiting']
  }
  await expect.poll(read, { timeout: 20_000 }).toEqual([true, null, left])
  const lines = stack.logLines.join('\n')
  expect(lines).toContain('a mail was not sent')
  for (const secret of [PASSWORD, SAID, email, '/set-password?']) expect(lines).not.toContain(secret)
}

const arrived = () => well.mails.map(({ to }) => to[0])

describe('a mail that the server', () => {
  let test: TestDatabase
  let stack: Stack
  beforeAll(async () => {
    test = await testDatabase()
    stack = await node(test)
  })
  afterEach(() => realTime(stack))
  afterAll(async () => {
    await stack?.close()
    await test?.close()
  })

  it.each<[string, Manner]>([
    ['greets without an end', (socket) => socket.write(`220-${'x'.repeat(TWO_MEGABYTES)}`)],
    ['greets in very many lines', (socket) => socket.write('220-x\r\n'.repeat(TWO_MEGABYTES / 7))],
    ['closes at once on', (socket) => socket.end()],
    ['resets at once', (socket) => socket.resetAndDestroy()],
    ['greets with a refusal', answering({ greeting: '554 5.3.2 no service here' })],
    ['is about to close on', answering({ EHLO: '421 4.3.2 closing' })],
    ['asks a better password for', answering({ AUTH: `535 5.7.8 AUTH PLAIN ${SAID} is ${PASSWORD}` })],
    ['wants another sender of', answering({ MAIL: '550 5.7.1 who are you' })],
    ['is too busy for', answering({ RCPT: '451 4.7.1 later' })],
    ['has no room for', answering({ '.': '452 4.3.1 no room' })],
    ['answers in another language', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['answers before it is asked for', (socket) => socket.write('220 hi\r\n250 ok\r\n250 ok\r\n451 no\r\n')],
  ])('%s waits until the server is well, and arrives once', async (_title, bad) => {
    well.mails.length = 0
    manner = bad
    const email = await forgotten(stack)
    await expectLeft(stack, email, 'waiting')
    manner = isWell
    await later(90, stack)
    await expect.poll(arrived, { timeout: 20_000 }).toEqual([email])
    await expectLeft(stack, email, 'over')
    await later(600, stack)
    expect(arrived()).toEqual([email])
  })

  it.each<[string, Manner]>([
    ['does not take for its recipient', answering({ RCPT: '550 5.1.1 nobody of that name' })],
    ['does not take at all', answering({ '.': '554 5.7.1 not this' })],
    ['has and then closes the connection on', answering({ '.': '' })],
    ['has and then answers out of turn', answering({ EHLO: `${WELL.EHLO}\r\n235 already`, '.': '354 go on' })],
    ['has and then answers with what means nothing', answering({ '.': 'thank you' })],
  ])('%s is never sent again', async (_title, bad) => {
    manner = bad
    await expectLeft(stack, await forgotten(stack), 'over')
  })
})

it('silence costs a mail its time and no more: the next one goes, and what was surely not taken arrives once', async () => {
  const test = await testDatabase()
  const hasty = await node(test, { SMTP_SEND_TIMEOUT_MS: String(HASTY_MS) })
  const drip: Manner = (socket) => {
    const timer = setInterval(() => socket.write('2'), 20)
    socket.on('close', () => clearInterval(timer))
  }
  const untaken = [
    () => {},
    drip,
    ...['EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA'].map((verb) => answering({ [verb]: null })),
  ]
  const waiting: string[] = []
  for (const silent of untaken) {
    calls = 0
    manner = silent
    waiting.push(await forgotten(hasty))
    await expectLeft(hasty, waiting.at(-1) ?? '', 'waiting')
  }
  manner = answering({ '.': null })
  await expectLeft(hasty, await forgotten(hasty), 'over')
  await hasty.close()

  well.mails.length = 0
  manner = isWell
  const patient = await node(test)
  await later(90, patient)
  await expect.poll(() => arrived().sort(), { timeout: 40_000 }).toEqual(waiting.sort())
  await realTime(patient)
  await patient.close()
  await test.close()
}, 120_000)
