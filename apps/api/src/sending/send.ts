// The path of a message: parse -> repeat? -> judge -> price -> admit -> hand over -> settle -> activity. One file, so that
// the four ways in (one or a list, now or later) are read beside each other; each step stands in a file of its own.
import { toEurText } from '@vertexsms/contract/money'
import { seal } from '@vertexsms/secrets/seal'
import { within } from '@vertexsms/service/within'
import { ApiError } from '../http/api-error.ts'
import { newSmsId } from '../upstream/sandbox/ids.ts'
import { batchAnswer, failureOfRepeat, outcomeUnknown } from './answers.ts'
import { type Sender, type SendingDeps, type Whose, whose } from './deps.ts'
import { enter } from './enter.ts'
import type { Entered, Entrance, Key } from './entry.ts'
import { handOver, inBackground, settleSurely, stopGivingBack, type Told } from './hand-over.ts'
import { watch } from './judgements.ts'
import { inPlace, noPlace, tooManyLists } from './places.ts'
import { COST_MAX, createPrices, type Prices } from './price.ts'
import { digestPayload, fingerprintOfSms, hashIdempotencyKey } from './repeat.ts'
import { byNumber, repeatedList } from './repeated-list.ts'
import {
  type Content,
  digestOf,
  isSingle,
  orderOf,
  type Recipient,
  readSms,
  recipientsOf,
  type SmsBody,
  type SmsPlan,
} from './request.ts'
import { type MessageRow, messagesOfSend } from './rows.ts'
import { type Item, runList } from './runner.ts'

/** A call that sends. */
export interface SmsCall {
  readonly sender: Sender
  readonly route: string
  readonly body: SmsBody
  /** The caller's idempotency key, as it was read; null where there is none. */
  readonly idempotencyKey: string | null
  /** True for a call that the MCP server made: a repeat is then looked for without a key, too. */
  readonly throughMcp: boolean
  readonly allowRepeat: boolean
}

/** The one message of a call. */
export interface SentOne {
  readonly id: bigint
  readonly parts: number
  readonly replayed: boolean
}

/** The messages of a call. */
export interface SentList {
  readonly answer: ReturnType<typeof batchAnswer>
  readonly replayed: boolean
}

/** Sends. */
export interface Sending {
  /** One message. Throws its refusal, and SEND_OUTCOME_UNKNOWN where the upstream's answer was lost. */
  sendOne(call: SmsCall): Promise<SentOne>
  /** A list, answered when it is done or after its time; one recipient's refusal is not the others'. */
  sendList(call: SmsCall): Promise<SentList>
  /** Hands over the held messages of a send whose runner this process is. */
  run(list: {
    sendId: string
    /** The turn in which it was taken; null for what goes at once. */
    runnerId: string | null
    sender: RunnerOf
    generation: number
    content: Content
    messages: readonly RunMessage[]
  }): Promise<void>
  readonly prices: Prices
  /** Claims nothing more. */
  stop(): void
  /** True from then on. */
  stopping(): boolean
}

/** On whose behalf a list is run. */
export interface RunnerOf extends Whose {
  readonly accountId: string
  readonly spenderId: string
  /** Of a token made by hand; null with a connection. */
  readonly tokenId: string | null
}

/** A held message. */
export interface RunMessage {
  readonly id: bigint
  readonly recipient: string
  readonly told: Told
}

const PRIORITIES = { high: 0, normal: 1, low: 2 } as const

/** What is kept of a send that waits: its content, and the most that was allowed for it. */
function writeWaiting(content: Content, maxMicros: bigint | null): string {
  return JSON.stringify({ ...content, maxMicros: maxMicros === null ? null : String(maxMicros) })
}

/** The same, read again; an earlier release kept no price. */
export function readWaiting(text: string): { readonly content: Content; readonly maxMicros: bigint | null } {
  const { maxMicros = null, ...content } = JSON.parse(text) as Content & { readonly maxMicros?: string | null }
  return { content, maxMicros: maxMicros === null ? null : BigInt(maxMicros) }
}

/** What the text of a waiting send is sealed under. */
export function sealedContext(accountId: string, sendId: string): string {
  return `send-text:${accountId}:${sendId}`
}

/** The one path for every upstream. */
export function createSending(deps: SendingDeps): Sending {
  const prices = createPrices(deps)
  let stopping = false

  function keyOf({ sender, route, body, idempotencyKey }: SmsCall): Key | null {
    if (idempotencyKey === null) return null
    const scope = { spenderId: sender.spenderId, upstream: deps.operator.name, route }
    const secret = deps.keys.idempotency
    return { hash: hashIdempotencyKey(secret, scope, idempotencyKey), digest: digestPayload(secret, scope, body) }
  }

  /** What finds a repeat of a call that has no key; null over REST, where only a key does. */
  function fingerprintsOf({ sender, throughMcp }: SmsCall, { content, scheduledAt }: SmsPlan) {
    if (!throughMcp) return null
    const scope = { spenderId: sender.spenderId, upstream: deps.operator.name }
    const { sender: from, message, coding, udh } = content
    return ({ msisdn }: Recipient) =>
      fingerprintOfSms(deps.keys.idempotency, scope, { msisdn, sender: from, message, coding, udh, scheduledAt })
  }

  async function enterSms(call: SmsCall, plan: SmsPlan, refusal: ApiError | null): Promise<Entrance> {
    const { sender, allowRepeat } = call
    const { content, scheduledAt } = plan
    if (allowRepeat && call.idempotencyKey === null) {
      throw new ApiError('INVALID_INPUT', {
        message: "Invalid value for field 'allowRepeat': it needs a fresh Idempotency-Key beside it.",
      })
    }
    const recipients = recipientsOf(plan.drafts)
    const single = isSingle(plan.drafts)
    const fingerprint = allowRepeat ? null : fingerprintsOf(call, plan)
    return enter(deps, {
      kind: 'sms',
      sender,
      route: call.route,
      key: keyOf(call),
      recipients,
      single,
      refusal: plan.refusal ?? refusal,
      parts: content.parts,
      limitedSender: content.sender,
      fingerprint: (one) => fingerprint?.(one) ?? null,
      byRates: (some) => prices.byRates(sender.accountId, content, some),
      byCost: (some, generation) => prices.byCost({ accountId: sender.accountId, generation }, content, some),
      asksPrice: plan.maxPriceMicros !== null || plan.quoteId !== null || (!single && recipients.length <= COST_MAX),
      maxPriceMicros: plan.maxPriceMicros,
      quoteId: plan.quoteId,
      digest: () => digestOf(deps.keys.quote, deps.operator.name, plan),
      shown: { from: content.sender, text: content.message },
      how: scheduledAt !== null ? 'scheduled' : single ? 'at_once' : 'held',
      newId: newSmsId,
      columns: {
        sender: content.sender,
        coding: content.coding,
        priority: PRIORITIES[content.priority],
        testMode: content.testMode,
        dlrUrl: plan.dlrUrl,
        scheduledAt,
        expireInSeconds: content.expireInSeconds,
      },
      sealed: (sendId, maxMicros) =>
        scheduledAt === null
          ? null
          : seal(deps.keys['send-text'], writeWaiting(content, maxMicros), sealedContext(sender.accountId, sendId)),
    })
  }

  /** Hands over the only message of a send, which was admitted as handed over. */
  async function handOne(
    call: SmsCall,
    content: Content,
    sendId: string,
    message: Entered,
    { sinceMs, generation }: Pick<Extract<Entrance, { kind: 'entered' }>, 'sinceMs' | 'generation'>,
  ): Promise<MessageRow> {
    await deps.at('admitted')
    const order = orderOf(call.sender.accountId, content, message.recipient)
    const { settlement, refusal } = await handOver(deps, {
      messageId: message.id,
      sender: call.sender,
      sinceMs,
      told: message.priced.told,
      call: () => deps.operator.send({ ...order, generation, messageId: message.id }),
    })
    await deps.at('handed')
    await settleSurely(deps, call.sender, [settlement], () => watch(deps, call.sender))
    await deps.at('settled')
    if (refusal) throw refusal
    if (settlement.outcome === 'unknown') throw outcomeUnknown(sendId, [message.id])
    const row = rowOf(sendId, message, 'accepted', settlement.chargedMicros ?? message.holdMicros)
    if ((settlement.parts ?? 0) <= row.parts) return row
    const [counted] = await messagesOfSend(deps.db, sendId).catch(() => [])
    return counted ?? row
  }

  /** Hands over a list, `done` with it at its end, and waits for it until it is to be answered. */
  async function handList(
    call: SmsCall,
    content: Content,
    sendId: string,
    entered: Extract<Entrance, { kind: 'entered' }>,
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
      messages: entered.messages.map(({ id, recipient, priced }) => ({
        id,
        recipient,
        told: priced.told,
      })),
    }).finally(done)
    inBackground(deps, sender, running)
    await within(
      running.catch(() => {}),
      answerAtMs - performance.now(),
    )
  }

  const run: Sending['run'] = ({ sendId, runnerId, sender, generation, content, messages }) => {
    const items = new Map<bigint, Item>(
      messages.map(({ id, recipient, told }) => [
        id,
        {
          told,
          call: () =>
            deps.operator.send({ ...orderOf(sender.accountId, content, recipient), generation, messageId: id }),
        },
      ]),
    )
    const { accountId, connectionId, tokenId, spenderId } = sender
    const grant = { accountId, connectionId, tokenId }
    const claim = { sendId, grant, spenderId, upstream: deps.operator.name, generation, runnerId }
    return runList(deps, { sender, claim, items, stopping: () => stopping })
  }

  /** Hands over the only message of a list, `done` with it at its end; undefined where the list is to be answered before. */
  async function handOneInTime(
    call: SmsCall,
    content: Content,
    sendId: string,
    message: Entered,
    entered: Extract<Entrance, { kind: 'entered' }>,
    answerAtMs: number,
    done: () => void,
  ): Promise<MessageRow | undefined> {
    let row: MessageRow | undefined
    const handing = handOne(call, content, sendId, message, entered)
      .then((handed) => {
        row = handed
      })
      .finally(done)
    // Its refusal is told the caller, or those who ask for its status.
    inBackground(
      deps,
      call.sender,
      handing.catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error
      }),
    )
    await within(handing, answerAtMs - performance.now())
    return row
  }

  /** The messages of a list as they are now. Throws SEND_OUTCOME_UNKNOWN with their ids. */
  function rowsOf(sender: Sender, sendId: string, messages: readonly Entered[]): Promise<MessageRow[]> {
    return messagesOfSend(deps.db, sendId).catch((error: Error) => {
      deps.log.warn({ ...whose(sender), err: error }, 'list not read')
      const ids = messages.map(({ id }) => id)
      throw outcomeUnknown(sendId, ids)
    })
  }

  return {
    prices,
    run,
    stop() {
      stopping = true
      stopGivingBack(deps)
    },
    stopping: () => stopping,

    async sendOne(call) {
      const plan = readSms(deps, call.body, call.sender.now())
      if (plan.scheduledAt !== null) return sendPlanned(call, plan, null)
      return inPlace(deps, call.sender.accountId, (refusal) => sendPlanned(call, plan, refusal))
    },

    async sendList(call) {
      const plan = readSms(deps, call.body, call.sender.now())
      // What it takes to be let in, a place and prices too, is of the time of its answer.
      const answerAtMs = performance.now() + deps.times.answerMs
      if (plan.scheduledAt !== null) return sendPlannedList(call, plan, null, answerAtMs)
      return sendAmongOthers(call, plan, answerAtMs)
    },
  }

  async function sendPlanned(call: SmsCall, plan: SmsPlan, refusal: ApiError | null): Promise<SentOne> {
    const entrance = await enterSms(call, plan, refusal)
    if (entrance.kind === 'replay') return repeatedOne(entrance.rows)
    const { sendId, replayed } = entrance
    const [message] = entrance.messages
    if (sendId === null || message === undefined) return repeatedOne([...replayed.values()])
    const { content, scheduledAt } = plan
    if (scheduledAt !== null) {
      deps.wakeIn(scheduledAt.getTime() - call.sender.now().getTime())
      return { id: message.id, parts: message.parts, replayed: false }
    }
    const row = await handOne(call, content, sendId, message, entrance)
    return { id: row.id, parts: row.parts, replayed: false }
  }

  /**
   * A list beside the others of its account, one of one person in a place as a message has it; where there are too many it
   * is told so unless it is a repeat.
   */
  async function sendAmongOthers(call: SmsCall, plan: SmsPlan, answerAtMs: number): Promise<SentList> {
    const { accountId } = call.sender
    const single = isSingle(plan.drafts)
    const leave = single ? await deps.places.take(accountId, deps.times.placeMs) : deps.lists.join(accountId)
    if (leave === null) return sendPlannedList(call, plan, single ? noPlace() : tooManyLists(), answerAtMs)
    let runs = false
    try {
      return await sendPlannedList(call, plan, null, answerAtMs, () => {
        runs = true
        return leave
      })
    } finally {
      if (!runs) leave()
    }
  }

  async function sendPlannedList(
    call: SmsCall,
    plan: SmsPlan,
    refusal: ApiError | null,
    answerAtMs: number,
    /** Called when the list begins to run; gives what is to be called at its end. */
    begin: () => () => void = () => () => {},
  ): Promise<SentList> {
    const { drafts, content, scheduledAt } = plan
    const entrance = await enterSms(call, plan, refusal)
    if (entrance.kind === 'replay') {
      const outcome = await repeatedList(deps, plan, call.sender, entrance.rows, fingerprintsOf(call, plan))
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
          ? await handOneInTime(call, content, sendId, only, entrance, answerAtMs, begin())
          : await handList(call, content, sendId, entrance, answerAtMs, begin())
      rows = handed ? [handed] : await rowsOf(call.sender, sendId, messages)
    }
    const known = byNumber([...rows, ...replayed.values()])
    const answer = batchAnswer({ sendId, drafts, rows: known, refused, replayed: new Set(replayed.keys()) })
    return { answer, replayed: false }
  }
}

function repeatedOne(rows: readonly MessageRow[]): SentOne {
  const [row] = rows
  if (row === undefined) throw new ApiError('INTERNAL')
  const failure = failureOfRepeat(row)
  if (failure) throw failure
  return { id: row.id, parts: row.parts, replayed: true }
}

/** A repeat of a whole call tells what the whole call costs. */
function withWholePrice(answer: SentList['answer'], rows: readonly MessageRow[]): SentList['answer'] {
  return { ...answer, price: toEurText(rows.reduce((sum, row) => sum + row.chargedMicros + row.holdMicros, 0n)) }
}

function rowOf(
  sendId: string,
  message: Entered,
  state: MessageRow['state'],
  chargedMicros: bigint,
  scheduledAt: Date | null = null,
): MessageRow {
  return {
    id: message.id,
    sendId,
    kind: 'sms',
    recipient: message.recipient,
    parts: message.parts,
    state,
    holdMicros: state === 'accepted' ? 0n : message.holdMicros,
    chargedMicros,
    reference: null,
    failure: null,
    failureNumber: null,
    failureReason: null,
    delivery: null,
    deliveryError: null,
    scheduledAt,
    payloadDigest: null,
    fingerprint: null,
    ageMs: 0,
  }
}
