import { randomBytes, randomUUID } from 'node:crypto'
import { approvalContext, writeAskedSend } from '@vertexsms/contract/approval'
import { seal } from '@vertexsms/secrets/seal'
import { subkey } from '@vertexsms/secrets/subkey'
import type { Stack } from './stack.ts'

export const ASKED = { to: ['37061234567', '37129123456'], text: 'Your code is 1234\nDo not share it' }

/** An approval that waits, as the API asks for it: its text sealed under the key of the API. */
export async function askApproval(
  stack: Stack,
  of: { readonly accountId: string; readonly spenderId: string },
  changes: Record<string, unknown> = {},
): Promise<string> {
  const id = randomUUID()
  const now = Date.now()
  const key = subkey(stack.env.OPERATOR_KEY, 'send-text')
  await stack.db.approval.create({
    data: {
      id,
      ...of,
      upstream: 'sandbox',
      generation: 0,
      digest: new Uint8Array(randomBytes(32)),
      state: 'pending',
      ceilingMicros: 78_000n,
      reason: 'price',
      recipients: ASKED.to.length,
      countries: ['LT', 'LV'],
      sender: 'Shop',
      sealedText: new Uint8Array(seal(key, writeAskedSend(ASKED), approvalContext({ id, accountId: of.accountId }))),
      createdAt: new Date(now),
      expiresAt: new Date(now + 86_400_000),
      ...changes,
    },
  })
  return id
}
