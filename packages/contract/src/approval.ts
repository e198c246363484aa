// What `apps/api` seals beside an approval and `apps/auth` shows to its owner: one form for both.
import * as z from 'zod'
import type { Scope } from './scopes.ts'

/**
 * How long a send that was asked about waits for its owner, and how long a refusal of it holds, in seconds since it was asked.
 * One for a time waits until then at most: the same call is refused from then on.
 */
export const APPROVAL_OPEN_SECONDS = 86_400

/** How long an approved send is good for, in seconds; one for a time until then at most. */
export const APPROVAL_GOOD_SECONDS = 900

/** What is asked about beside an SMS, and what a connection must hold to use the approval of it. */
export const OTHER_ASKED = { hlr: 'hlr:lookup', msisdn: 'sender:write' } as const satisfies Record<string, Scope>

/** What an owner is asked about: it stands among the words of `approval.reason` where it is no SMS. */
export type AskedKind = 'sms' | keyof typeof OTHER_ASKED

/** What an approval with this reason is about. */
export function askedKindOf(reason: string): AskedKind {
  const words = reason.split(' ')
  return (Object.keys(OTHER_ASKED) as (keyof typeof OTHER_ASKED)[]).find((kind) => words.includes(kind)) ?? 'sms'
}

/** What a person must see to decide: every recipient as digits in international form, and the text. */
const askedSendSchema = z.object({ to: z.array(z.string()).min(1), text: z.string() })
export type AskedSend = z.infer<typeof askedSendSchema>

/** Of which approval of which account: the context that the text is sealed under, with the key `send-text`. */
export function approvalContext({ id, accountId }: { readonly id: string; readonly accountId: string }): string {
  return `approval:${accountId}:${id}`
}

/** The plaintext of `approval.sealed_text`. */
export function writeAskedSend(asked: AskedSend): string {
  return JSON.stringify({ to: asked.to, text: asked.text })
}

/** What {@link writeAskedSend} wrote. Throws for anything else. */
export function readAskedSend(plaintext: string): AskedSend {
  return askedSendSchema.parse(JSON.parse(plaintext))
}
