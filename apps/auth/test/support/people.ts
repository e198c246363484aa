import { randomUUID } from 'node:crypto'
import { hash } from '@node-rs/argon2'
import { hiddenField, type Person, type View } from './person.ts'
import type { Stack } from './stack.ts'

export const PASSWORD = 'correct horse battery staple'

/** Of an account that signs in again and again: as cheap as the function allows, while one that we make costs what it must. */
export const CHEAP = { memoryCost: 8, timeCost: 1, parallelism: 1 }

/** Nobody looks at whether two accounts have the same. */
let passwordHash: string | undefined

/** An active account with {@link PASSWORD}, and an address of its own unless one is given. */
export async function makeAccount(
  stack: Stack,
  status: 'active' | 'disabled' = 'active',
  email = `${randomUUID()}@example.com`,
): Promise<{ id: string; email: string }> {
  const account = { id: randomUUID(), email }
  passwordHash ??= await hash(PASSWORD, CHEAP)
  await stack.db.account.create({ data: { ...account, passwordHash, status, createdAt: new Date() } })
  return account
}

/** Fills in the sign-in form and sends it; the answer, with nothing followed. */
export async function fillSignIn(
  person: Person,
  sent: { email: string; password?: string; returnTo?: string },
): Promise<View> {
  const query = sent.returnTo === undefined ? '' : `?return_to=${encodeURIComponent(sent.returnTo)}`
  const { html } = await person.get(`/sign-in${query}`)
  return person.post('/sign-in', [
    ['csrf', hiddenField(html, 'csrf')],
    ['return_to', hiddenField(html, 'return_to')],
    ['email', sent.email],
    ['password', sent.password ?? PASSWORD],
  ])
}

/** A browser that is signed in as a new account. */
export async function newSignedIn(stack: Stack): Promise<{ account: { id: string; email: string }; person: Person }> {
  const account = await makeAccount(stack)
  return { account, person: await stack.person(account.id) }
}
