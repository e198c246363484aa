import type { Page } from 'playwright-core'
import { type Credentials, expectAuthorization, type IndependentClient } from './clients/client.ts'
import { authorize, type Choice } from './pages/consent.ts'
import type { StackFacts } from './stack.ts'

/** Lets a client connect with all five scopes, the person at `page` approving, and resolves with its credentials. */
export async function connectInFull(
  client: IndependentClient,
  page: Page,
  stack: StackFacts,
  choice: Pick<Choice, 'lasts'> = {},
): Promise<Credentials> {
  await authorize(page, expectAuthorization(client, await client.connect()), stack, choice)
  await client.finish()
  return client.credentials()
}
