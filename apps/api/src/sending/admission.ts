// What the admitting statement is told of a request that was judged and priced.
import type { Admission } from '../ledger/admit.ts'
import { daysAround } from '../limits/days.ts'
import type { Grant } from '../live.ts'
import type { Sender, SendingDeps } from './deps.ts'
import type { Entered, Entry, LetIn, Progress } from './entry.ts'

/** Under what a caller's request is let in: its very token. */
export function grantOf({ accountId, connectionId, id }: Sender): Grant {
  return { accountId, connectionId, tokenId: id }
}

/** The messages of earlier calls that a request is told of. */
export function idsOf(replayed: LetIn['replayed']): bigint[] {
  return [...replayed.values()].map(({ id }) => id)
}

/** The admission of these messages as this send. */
export function admissionOf(
  deps: SendingDeps,
  entry: Entry,
  { generation, approval, maxMicros, replayed }: Progress,
  sendId: string,
  messages: readonly Entered[],
): Admission {
  const { sender, key } = entry
  return {
    grant: grantOf(sender),
    ledger: {
      accountId: sender.accountId,
      spenderId: sender.spenderId,
      upstream: deps.operator.name,
      days: daysAround(sender.now(), sender.timeZone),
    },
    askedAt: sender.now(),
    limitedSender: entry.limitedSender,
    unpriced: messages.some(({ priced }) => priced.micros === null),
    how: entry.how,
    leaseSeconds: Math.ceil(
      (entry.how === 'held' ? deps.times.runnerMs : deps.times.handOverMs + deps.times.leaseSlackMs) / 1000,
    ),
    approval: approval === null ? null : { id: approval.id, use: approval.use(sendId) },
    send: {
      id: sendId,
      kind: entry.kind,
      generation,
      route: entry.route,
      keyHash: key?.hash ?? null,
      payloadDigest: key?.digest ?? null,
      repeats: idsOf(replayed),
      ...entry.columns,
      sealedText: entry.sealed(sendId, maxMicros),
      messages,
    },
  }
}
