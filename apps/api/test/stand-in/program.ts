// The stand-in as a process: tells its parent where it listens, and does and tells what its parent asks.
import { type Fault, startStandIn } from './stand-in.ts'

/** What a parent may ask for; each is answered with what is known then. */
type Asked = { readonly fault: Fault } | { readonly behaviour: Record<string, unknown> } | { readonly look: true }

const standIn = await startStandIn(
  { tokens: [process.env.STAND_IN_TOKEN ?? ''] },
  Number(process.env.STAND_IN_PORT ?? 0),
)
process.on('message', (asked: Asked) => {
  if ('fault' in asked) standIn.fault(asked.fault)
  if ('behaviour' in asked) Object.assign(standIn.behaviour, asked.behaviour)
  const { url, accepted, lookups, texts } = standIn
  process.send?.({ url, accepted, lookups, texts })
})
process.once('disconnect', () => process.exit(0))
process.send?.({ url: standIn.url })
