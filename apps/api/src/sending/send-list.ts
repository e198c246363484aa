// The way in of a list, now or later.
import { toEurText } from '@vertexsms/contract/money'
import { within } from '@vertexsms/service/within'
import { ApiError } from '../http/api-error.ts'
import { batchAnswer, outcomeUnknown } from './answers.ts'
import { type Sender, type SendingDeps, whose } from './deps.ts'
import type { Entered, LetIn } from './entry.ts'
import { handOne, rowOf } from './hand-one.ts'
import { inBackground } from './hand-over.ts'
import { noPlace, tooManyLists } from './places.ts'
import type { Prices } from './price.ts'
import { byNumber, repeatedList } from './repeated-list.ts'
import { type Content, isSingle, readSms, type SmsPlan } from './request.ts'
import { type MessageRow, messagesOfSend } from './rows.ts'
import type { Run } from './run-messages.ts'
import { enterSms, fingerprintsOf, type SmsCall } from './sms-entry.ts'

/** The messages of a call. */
export interface SentList {
  readonly answer: ReturnType<typeof batchAnswer>
  readonly replayed: boolean
}

/** What a list is sent with. */
export interface ListPath {
  readonly deps: SendingDeps
  readonly prices: Prices
  readonly run: Run
}

/** Sends a list, answered when it is done or after its time; one recipient's refusal is not the others'. */
export async function sendList(path: ListPath, call: SmsCall): Promise<SentList> {
  const { deps } = path
  const plan = readSms(deps, call.body, call.sender.now())
  // What it takes to be let in, a place and prices too, is of the time of its answer.
  const answerAtMs = performance.now() + deps.times.answerMs
  if (plan.scheduledAt !== null) return sendPlannedList(path, call, plan, null, answerAtMs)
  return sendAmongOthers(path, call, plan, answerAtMs)
}

/**
 * A list beside the others of its account, one of one person in a place as a message has it; where there are too many it
 * is told so unless it is a repeat.
 */
async function sendAmongOthers(path: ListPath, call: SmsCall, plan: SmsPlan, answerAtMs: number): Promise<SentList> {
  const { deps } = path
  const { accountId } = call.sender
  const single = isSingle(plan.drafts)
  const leave = single ? await deps.places.take(accountId, deps.times.placeMs) : deps.lists.join(accountId)
  if (leave === null) return sendPlannedList(path, call, plan, single ? noPlace() : tooManyLists(), answerAtMs)
  let runs = false
  try {
    return await sendPlannedList(path, call, plan, null, answerAtMs, () => {
      runs = true
      return leave
    })
  } finally {
    if (!runs) leave()
  }
}

async function sendPlannedList(
  path: ListPath,
  call: SmsCall,
  plan: SmsPlan,
  refusal: ApiError | null,
  answerAtMs: number,
  /** Called when the list begins to run; gives what is to be called at its end. */
  begin: () => () => void = () => () => {},
): Promise<SentList> {
  const { deps, prices } = path
  const { drafts, content, scheduledAt } = plan
  const entrance = await enterSms(deps, prices, call, plan, refusal)
  if (entrance.kind === 'replay') {
    const outcome = await repeatedList(deps, plan, call.sender, entrance.rows, fingerprintsOf(deps, call, plan))
    return { answer: withWholePrice(batchAnswer(outcome), entrance.rows), replayed: true }
  }
  const { sendId, messages, refused, replayed } = entrance
  let rows: readonly MessageRow[] = []
  const [only] = messages
  if (sendId !== null && scheduledAt !== null) {
    deps.wakeIn(scheduledAt.getTime() - call.sender.now().getTime())
    rows = messages.map((message) => rowOf(sendId, message, 'scheduled', 0n, scheduledAt))
  } else if (sendId !== null) {
    const handed =
      only !== undefined && isSingle(drafts)
        ? await handOneInTime(deps, call, content, sendId, only, entrance, answerAtMs, begin())
        : await handList(path, call, content, sendId, entrance, answerAtMs, begin())
    rows = handed ? [handed] : await rowsOf(deps, call.sender, sendId, messages)
  }
  const known = byNumber([...rows, ...replayed.values()])
  const answer = batchAnswer({ sendId, drafts, rows: known, refused, replayed: new Set(replayed.keys()) })
  return { answer, replayed: false }
}

/** Hands over a list, `done` with it at its end, and waits for it until it is to be answered. */
async function handList(
  { deps, run }: ListPath,
  call: SmsCall,
  content: Content,
  sendId: string,
  entered: LetIn,
  answerAtMs: number,
  done: () => void,
) {
  await deps.at('admitted')
  const { sender } = call
  const tokenId = sender.connectionId === null ? sender.id : null
  const running = run({
    sendId,
    runnerId: null,
    sender: { ...whose(sender), accountId: sender.accountId, spenderId: sender.spenderId, tokenId },
    generation: entered.generation,
    content,
    messages: entered.messages.map(({ id, recipient, priced, holdMicros }) => ({
      id,
      recipient,
      told: priced.told,
      heldMicros: holdMicros,
    })),
  }).finally(done)
  inBackground(deps, sender, running)
  await within(
    running.catch(() => {}),
    answerAtMs - performance.now(),
  )
}

/** Hands over the only message of a list, `done` with it at its end; undefined where the list is to be answered before. */
async function handOneInTime(
  deps: SendingDeps,
  call: SmsCall,
  content: Content,
  sendId: string,
  message: Entered,
  entered: LetIn,
  answerAtMs: number,
  done: () => void,
): Promise<MessageRow | undefined> {
  let row: MessageRow | undefined
  let isAnswered = false
  let isInTime = false
  const handing = handOne(deps, call, content, sendId, message, entered, () => {
    isInTime = !isAnswered
    return isAnswered
  })
    .then((handed) => {
      row = handed
    })
    .finally(done)
  // Its refusal is told the caller, or once they have its id their URL, and those who ask for its status.
  inBackground(
    deps,
    call.sender,
    handing.catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error
    }),
  )
  await within(handing, answerAtMs - performance.now())
  isAnswered = true
  // What became of it is being written, and is told by this answer alone.
  if (isInTime) await handing
  return row
}

/** The messages of a list as they are now. Throws SEND_OUTCOME_UNKNOWN with their ids. */
function rowsOf(
  deps: SendingDeps,
  sender: Sender,
  sendId: string,
  messages: readonly Entered[],
): Promise<MessageRow[]> {
  return messagesOfSend(deps.db, sendId).catch((error: Error) => {
    deps.log.warn({ ...whose(sender), err: error }, 'list not read')
    const ids = messages.map(({ id }) => id)
    throw outcomeUnknown(sendId, ids)
  })
}

/** A repeat of a whole call tells what the whole call costs. */
function withWholePrice(answer: SentList['answer'], rows: readonly MessageRow[]): SentList['answer'] {
  const own = rows.filter(({ isEarlier }) => !isEarlier)
  return { ...answer, price: toEurText(own.reduce((sum, row) => sum + row.chargedMicros + row.holdMicros, 0n)) }
}
