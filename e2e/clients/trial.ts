import { type ClientGuide, clientGuides, SERVER_NAME, TOKEN_SERVER_NAME } from '@vertexsms/contract/connect'
import type { Database } from '@vertexsms/db/client'
import type { Page } from 'playwright-core'
import { authorize } from '../support/pages/consent.ts'
import type { StackFacts } from '../support/stack.ts'
import type { Home } from './home.ts'
import type { PlannedCall } from './pretend-model.ts'

/** How a program is let in. */
export type Way = 'token' | 'sign-in'

/** One program in one home, about to be connected and to send one message to a number of its own. */
export interface Trial {
  readonly home: Home
  readonly stack: StackFacts
  readonly way: Way
  /** The name of the server in the blocks for this way. */
  readonly server: string
  readonly call: PlannedCall
  /** A window of somebody who was never here. */
  readonly person: () => Promise<Page>
  /** Runs what starts an authorization, and plays the person in a browser until it has ended. */
  readonly signIn: (command: string, env?: Readonly<Record<string, string>>) => Promise<void>
  /** The block of the page for this client, way and place, byte for byte. */
  readonly block: (client: string, place: string, index?: number) => string
  /** Runs a command; throws what it printed when it fails, and resolves with that otherwise. */
  readonly run: (command: string, env?: Readonly<Record<string, string>>) => Promise<string>
}

/** Where a program brought what our server answered: the text that it showed, or gave to its model. */
export type Shown = (words: string) => boolean

const CLIENT_TAIL_CHARACTERS = 600

/** What {@link Trial} says, over these parts. */
export function newTrial(parts: Pick<Trial, 'home' | 'stack' | 'way' | 'call' | 'person'>): Trial {
  const { home, stack, way } = parts
  const guides = clientGuides(stack.mcpUrl, stack.token)
  async function run(command: string, env?: Readonly<Record<string, string>>): Promise<string> {
    const { status, output } = await home.run(command, env)
    const tail = output.replaceAll(stack.token, '...').slice(-CLIENT_TAIL_CHARACTERS)
    if (status !== 0) throw new Error(`a command ended with ${status}: ${tail}`)
    return output
  }
  return {
    ...parts,
    run,
    server: way === 'token' ? TOKEN_SERVER_NAME : SERVER_NAME,
    block(client, place, index = 0) {
      const guide: ClientGuide | undefined = guides.find(({ id }) => id === client)
      const blocks = way === 'token' ? guide?.tokenBlocks : guide?.blocks
      const block = blocks?.filter((one) => one.place === place)[index]
      if (block === undefined) throw new Error(`the page has no block for ${client} in ${place}`)
      return block.text
    },
    async signIn(command, env) {
      const page = await parts.person()
      const running = run(command, env)
      // One that ends before it has asked for a browser says why.
      const url = await Promise.race([home.opened(), running.then(() => undefined)])
      if (url !== undefined) await authorize(page, url, stack)
      await running
      await page.context().close()
      if (url === undefined) throw new Error('it asked for no sign-in')
    },
  }
}

/**
 * Throws unless exactly one message went to the number, by the token or by the one connection that was made since, and
 * what the program showed holds the message's id.
 */
export async function judge(
  db: Database,
  { way, recipient, since, shown }: { way: Way; recipient: string; since: Date; shown: Shown },
): Promise<void> {
  const sent = await db.sendMessage.findMany({
    where: { recipient },
    select: { id: true, send: { select: { connectionId: true, tokenId: true } } },
  })
  const [message] = sent
  if (message === undefined || sent.length > 1) throw new Error(`${sent.length} messages arrived instead of one`)
  if (way === 'token' && message.send.tokenId === null) throw new Error('it was not sent by the token')
  if (way === 'sign-in') {
    const made = await db.connection.findMany({ where: { approvedAt: { gte: since } }, select: { id: true } })
    if (made.length !== 1 || made[0]?.id !== message.send.connectionId)
      throw new Error(`it was not sent by the one connection that was approved (of ${made.length})`)
  }
  if (!shown(String(message.id))) throw new Error('our answer did not come back: it names no id of the message')
}
