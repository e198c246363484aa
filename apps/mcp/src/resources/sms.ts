import { RouteRefusal } from '../api/judge.ts'
import { errorMeaning, readStatus, smsUri, statusRequest } from '../api/sms-status.ts'
import type { Exchange } from '../protocol/exchange.ts'

/** How the status of a message stands in the list of templates. */
export const SMS_TEMPLATE = {
  uriTemplate: smsUri('{id}'),
  name: 'sms',
  title: 'Did it arrive?',
  description:
    'Where a message stands, by the message_id that send_sms returned: scheduled, queued, sent, delivered, failed, expired, cancelled or unknown. Free.',
  mimeType: 'application/json',
} as const

/** What an id of a message is: digits, also those that an earlier version gave out. */
const SMS_URI = new RegExp(`^${smsUri('(\\d{1,20})')}$`)

/** The id that a URI names; undefined where it is not one of a message. */
export function smsIdOf(uri: string): string | undefined {
  return SMS_URI.exec(uri)?.[1]
}

/** Where a message stands; undefined for an id that is not of this connection. Throws as a call of a tool does. */
export async function readSms(exchange: Exchange, id: string): Promise<object | undefined> {
  try {
    const answer = await exchange.session.call('sms:send', statusRequest(id), exchange)
    const { state, status, error } = readStatus(answer)
    return { id, state, status, error, error_text: error === 0 ? null : errorMeaning(error) }
  } catch (error) {
    if (error instanceof RouteRefusal && error.error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
