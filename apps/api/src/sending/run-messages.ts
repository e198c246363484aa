// The held messages of a send, as the list that the runner runs.
import type { SendingDeps, Whose } from './deps.ts'
import type { Told } from './hand-over.ts'
import { type Content, orderOf } from './request.ts'
import { type Item, runList } from './runner.ts'

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
  readonly heldMicros: bigint
}

/** The held messages of a send whose runner this process is. */
export interface MessagesToRun {
  readonly sendId: string
  /** The turn in which it was taken; null for what goes at once. */
  readonly runnerId: string | null
  readonly sender: RunnerOf
  readonly generation: number
  readonly content: Content
  readonly messages: readonly RunMessage[]
}

/** Hands them over. */
export type Run = (list: MessagesToRun) => Promise<void>

/** Runs a list as {@link runList} does, each message handed over as its order, until the process is to stop. */
export function runMessages(
  deps: SendingDeps,
  { sendId, runnerId, sender, generation, content, messages }: MessagesToRun,
  stopping: () => boolean,
): Promise<void> {
  const items = new Map<bigint, Item>(
    messages.map(({ id, recipient, told, heldMicros }) => [
      id,
      {
        told,
        heldMicros,
        call: () => deps.operator.send({ ...orderOf(sender.accountId, content, recipient), generation, messageId: id }),
      },
    ]),
  )
  const { accountId, connectionId, tokenId, spenderId } = sender
  const grant = { accountId, connectionId, tokenId }
  const claim = { sendId, grant, spenderId, upstream: deps.operator.name, generation, runnerId }
  return runList(deps, { sender, claim, items, stopping })
}
