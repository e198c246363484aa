import type { Exchange } from '../protocol/exchange.ts'

/** Where the limits of the connection are read. */
export const ACCOUNT_URI = 'vertexsms://account'

/** How the resource stands in the list. */
export const ACCOUNT_RESOURCE = {
  uri: ACCOUNT_URI,
  name: 'account',
  title: 'Limits and spending',
  description:
    'What this connection may spend, what it has spent, what is left of it today and in all, and whether sending is paused. Free.',
  mimeType: 'application/json',
} as const

/** What the token says of its limits, spelled as `GET /token` spells it. Throws Refusal. */
export async function readAccount({ session }: Exchange): Promise<object> {
  const { limits, spent, left, paused } = await session.describe()
  return { limits, spent, left, paused }
}
