// What the admitting statement is told of a request that was judged and priced.
import type { Admission } from '../ledger/admit.ts'
import { daysAround } from '../limits/days.ts'
import type { SendingDeps } from './deps.ts'
import type { Entered, Entry, Progress } from './entry.ts'

/** The admission of these messages as this send. */
export function admissionOf(
  deps: SendingDeps,
  entry: Entry,
  { generation, approval, maxMicros }: Progress,
  sendId: string,
  messages: readonly Entered[],
): Admission {
  const { sender, key } = entry
  return {
    grant: { accountId: sender.accountId, connectionId: sender.connectionId, tokenId: sender.id },
    ledger: {
      accountId: sender.accountId,
      spenderId: sender.spenderId,
      upstream: deps.operator.name,
      days: daysAround(sender.now(), sender.timeZone),
    },
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
      ...entry.columns,
      sealedText: entry.sealed(sendId, maxMicros),
      messages,
    },
  }
}
