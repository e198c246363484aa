import { REFUSAL_REASONS } from '@vertexsms/contract/refusals'
import {
  CATEGORY_DESCRIPTION_MAX,
  SENDER_CATEGORIES,
  SENDER_NAME_LENGTH,
  SENDER_NAME_PATTERN,
  senderIdResponseSchema,
} from '@vertexsms/contract/rest'
import * as z from 'zod'
import { isReplayed, RouteRefusal } from '../api/judge.ts'
import { EFFECT_TIMEOUT_MS } from '../api/timeouts.ts'
import { failureIn, ToolFailure } from '../protocol/failure.ts'
import { defineTool, refusalFailure, type ToolContext } from './define-tool.ts'
import { choiceField, type Field, invalid, optional, textField, urlField } from './fields.ts'
import { withWayOut } from './send-failure.ts'

const name: Field<string> = {
  schema: {
    type: 'string',
    description:
      'The sender name: 3 to 11 latin letters, digits, spaces, dots and - _ & # !, with at least one letter. A Shortcode or Landline may be digits alone.',
    minLength: SENDER_NAME_LENGTH.min,
    maxLength: SENDER_NAME_LENGTH.max,
    examples: ['MyCompany'],
  },
  read(value, field, others) {
    const text = textField('', { ...SENDER_NAME_LENGTH, trim: true }).read(value, field, others)
    if (SENDER_NAME_PATTERN.test(text) || /^\d+$/.test(text)) return text
    throw invalid(field, REFUSAL_REASONS.sender_name_form.fix)
  },
}

/** Asks for a sender name to be registered on the account. */
export const registerSenderId = defineTool({
  name: 'register_sender_id',
  title: 'Register a sender name',
  description:
    'Asks VertexSMS to register a sender name (alphanumeric sender id) on the account, so that it can be used as from in send_sms. Free, but a person at VertexSMS may review it. For a phone number as the sender use register_msisdn_sender.',
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: {
    name,
    category: choiceField('What the name stands for.', SENDER_CATEGORIES),
    categoryDescription: textField('One or two sentences on who owns the name and what is sent under it.', {
      max: CATEGORY_DESCRIPTION_MAX,
      trim: true,
    }),
    notificationUrl: optional(urlField('Public https URL that is told when the registration is decided.')),
  },
  output: z.object({ sender_id: z.int(), status: z.literal('submitted') }),
  async run(args, context) {
    const { id } = await submitSender({ type: 'AlphaNumeric', ...args }, context)
    return {
      text: `The sender name was submitted. Sender id ${id}.`,
      data: { sender_id: id, status: 'submitted' as const },
    }
  },
})

const NO_NOTIFICATION =
  'Argument `notificationUrl`: leave it out; this installation has no public address at which it could be told of the decision. Nothing was registered.'

/** Registers a sender and returns its id; `replayed` where an earlier call with the same key did it. Throws {@link ToolFailure}. */
export async function submitSender(
  body: object,
  context: ToolContext,
  idempotencyKey?: string,
): Promise<{ readonly id: number; readonly replayed: boolean }> {
  try {
    const answer = await context.call({
      method: 'POST',
      path: '/senderId',
      body: JSON.stringify(body),
      timeoutMs: EFFECT_TIMEOUT_MS,
      effect: true,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    })
    const id = senderIdResponseSchema.safeParse(answer.body.trim())
    if (!id.success) throw new ToolFailure('SEND_OUTCOME_UNKNOWN')
    return { id: Number(id.data), replayed: isReplayed(answer) }
  } catch (error) {
    const failure = error instanceof RouteRefusal ? registrationFailure(error) : failureIn(error)
    throw failure === undefined ? error : withWayOut(failure, null, idempotencyKey)
  }
}

function registrationFailure(refusal: RouteRefusal): ToolFailure {
  return refusalFailure(refusal, {
    CONFLICT: new ToolFailure('INVALID_INPUT', 'This sender is already registered on the account.'),
    URL_NOT_ALLOWED: invalid('notificationUrl', 'must be a public https URL.'),
    CALLBACK_ADDRESS_MISSING: new ToolFailure('CALLBACK_ADDRESS_MISSING', NO_NOTIFICATION),
  })
}
