import { CURRENCY, readRefusalOutcome } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import type { Database } from '@vertexsms/db/client'
import { type Activity, type ActivityOf, activityBatches } from '../connections/activity.ts'
import { type Delivery, deliveriesOf } from '../connections/deliveries.ts'
import { type NamedSpender, nameSpenders } from '../connections/names.ts'

/** The most rows of one file, the newest ones: about twenty megabytes. */
const ROWS_MAX = 100_000

const HEADING = [
  'at',
  'app_or_token',
  'answers_go_to',
  'what',
  'outcome',
  'count',
  'country',
  'parts',
  'amount',
  'currency',
  'number_ends_in',
  'upstream',
  'send_id',
  'delivery',
  'delivery_error',
  'limit',
]

/** So that a spreadsheet reads UTF-8 (a byte-order mark). */
const MARK = '\uFEFF'

/**
 * The activity of an account, or of one spender of it, newest first, as CSV (RFC 4180) in pieces. Without any text of a
 * message, and of numbers the last digits alone. No cell begins as a formula does, whatever an app calls itself.
 */
export async function* activityCsv(db: Database, of: ActivityOf): AsyncGenerator<string> {
  yield MARK + line(HEADING)
  for await (const rows of activityBatches(db, of, ROWS_MAX)) {
    const names = await nameSpenders(
      db,
      of.accountId,
      rows.map(({ spenderId }) => spenderId),
    )
    const delivered = await deliveriesOf(db, of.accountId, rows)
    yield rows.map((row) => line(cellsOf(row, names.get(row.spenderId), delivered.get(row.id)))).join('')
  }
}

function cellsOf(row: Activity, named: NamedSpender | undefined, delivery: Delivery | undefined): string[] {
  const { outcome, cap } = readRefusalOutcome(row.outcome)
  return [
    row.at.toISOString(),
    text(named?.name ?? ''),
    text(named?.app?.redirectHost ?? ''),
    text(row.what),
    text(outcome),
    String(row.count),
    text(row.country ?? ''),
    row.parts === null ? '' : String(row.parts),
    toEurText(row.amountMicros, 2),
    CURRENCY,
    text(row.lastDigits ?? ''),
    text(row.upstream),
    row.sendId ?? '',
    delivery?.became ?? '',
    delivery?.error == null ? '' : String(delivery.error),
    cap ?? '',
  ]
}

/**
 * A text that no spreadsheet takes for a formula (CWE-1236): those begin with one of these, in full width too, also behind
 * white space, and also where a cell begins in a spreadsheet whose cells end at a semicolon, as they do wherever a comma
 * stands before the cents. There a quotation mark in the middle of a line protects nothing.
 */
function text(value: string): string {
  const plain = value.replace(/\p{C}+/gu, ' ')
  return plain.replace(/(^|[;,|])(?=[\s"']*[=+\-@|%＝＋－＠])/g, "$1'")
}

function line(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`
}
