import { modernRequest } from '../support/clients/raw.ts'
import type { Stack } from '../support/stack.ts'
import { waitUntil } from '../support/wait-until.ts'
import { owner } from './person.ts'
import { expectRight, type Probe, type Topic } from './probe.ts'

type Args = Readonly<Record<string, unknown>>

const RACES = 20
/** Long enough for all of them to be sent and deleted before any is due. */
const DUE_MS = 15_000
const SMS = { from: 'Shop', message: 'hi' }

/** Numbers, prices and words of messages. */
export const sending: Topic = {
  title: 'money and messages',
  probes: [
    tool('send_sms', { to: '+51987654321', correctBy: 'BR' }, 'went to Brazil and showed Peru', /to \+51987654321 was/),
    tool('send_sms', { to: '61860698', correctBy: 'LT' }, 'refused', /to \+37061860698 was/),
    tool('send_sms', { to: '(51) 98765-4321' }, 'went to Peru', /two ways: as \+51987654321 \(PE\)/),
    tool('send_sms', { to: '436641234567.0' }, 'charged as another number', /no part of a number/),
    tool('send_sms', { to: '+٣٧٠٦١٨٦٠٦٩٨' }, 'refused', /to \+37061860698 was/),
    tool(
      'send_sms',
      { to: ['+37061860698', '00370 618 60698', '+447700900024'] },
      'refused as a whole; partly failed lists told a count alone',
      /1 of 2 .*1\. \+37061860698: sent, id \d+.*2\. .*duplicate of 1.*3\. \+447700900024: refused: .*balance/s,
    ),
    tool(
      'send_sms',
      { to: ['+447700900024', '+447700900020'] },
      'one reason for all',
      /1\. \+447700900024: refused: .*balance.*2\. \+447700900020: refused: .*not configured/s,
    ),
    tool('send_sms', { to: '+37061860698;ext=5' }, 'refused with advice on form', /no part of a number/),
    tool('send_sms', { to: '+0037061860698' }, 'refused for its length', /zero behind its \+/),
    tool('lookup_hlr', { msisdn: '+37061860698, +37061860699' }, 'advice on form', /not a list/, {}),
    tool('lookup_hlr', { lookupId: 2 ** 53 - 1 }, 'no id as long as those given was taken', /NOT_FOUND/, {}),
    tool('send_sms', { to: '+37061860698', scheduled: '9999-12-31T23:59-01:00' }, 'refused', /date that exists/),
    tool('send_sms', { to: '+37061860698', scheduled: '2027-02-30T09:00Z' }, 'scheduled for March', /date that exists/),
    tool('send_sms', { to: '["+37061860698"]', tool: 'x', sessionId: 'y' }, 'refused', /to \+37061860698 was/),
    rest('/numbers/correct', [{ number: '0011 65 9234 5678', country: 'AU' }], 'no number', /"\+6592345678"/),
    rest('/numbers/correct', [{ number: '009 372 512 3456', country: 'TH' }], 'Afghanistan', /"\+3725123456"/),
    rest('/sms', { ...SMS, to: '37061860698', dlrUrl: null, udh: null, coding: null }, 'refused', /^200 /),
    rest('/sms', { ...SMS, to: '37061860698', expireIn: '3600', from: 'Bakery ' }, 'refused', /^200 /),
    rest('/sms', { ...SMS, to: '37061860698', coding: 1, udh: '%05%00%03%CC%02%01' }, 'refused', /^200 /),
    rest('/sms', { ...SMS, to: '37061860698', coding: 0, message: 'x'.repeat(161) }, 'split', /too long for one part/),
    rest('/sms', { ...SMS, to: '37061860698', message: '   ' }, 'sent', /'message': it holds nothing/),
    rest('/sms', { ...SMS, to: '37061860698', message: '\u2800\u3164' }, 'sent', /'message': it holds nothing/),
    rest('/sms', { ...SMS, to: '37061860698,37061860699' }, 'advice on form', /'to': it must be one phone number/),
    rest('/sms', { ...SMS, to: '37061860698', dlrUrl: 'http://10.0.0.1/' }, 'named no field', /field 'dlrUrl'/),
    rest(
      '/sms',
      { ...SMS, to: '37061860698', scheduled: '2027-02-03' },
      'one sentence for all',
      /time of day is missing/,
    ),
    rest('/sms', { ...SMS, to: '37061860698', udh: '%05%00%03%CC%02%01' }, 'refused', /'udh': it needs coding/),
    {
      input: `${RACES} scheduled messages, each sent with a token that is deleted at that moment, and one that is not`,
      before: 'a third of them went out and was paid for',
      run: sendNothingDeleted,
    },
    rest(
      '/sms/cost',
      { ...SMS, to: '(51) 98765-4321', correctBy: 'BR', coding: 2 },
      'refused: it judged another message',
      /"to":"5551987654321"/,
    ),
  ],
}

async function sendNothingDeleted(product: Stack): Promise<string> {
  const person = await owner(product)
  const idsOf = async () =>
    [...(await person.page('/settings/api')).matchAll(/tokens\/([\da-f-]{36})\/delete/g)].map(([, id]) => id)
  const kept = new Set(await idsOf())
  const tokens = await Promise.all(Array.from({ length: RACES }, (_, at) => person.makeToken(`Race ${at}`)))
  const ids = (await idsOf()).filter((id) => !kept.has(id))
  const scheduled = new Date(Date.now() + DUE_MS).toISOString()
  const schedule = async (token: string | undefined, message: string) => {
    const headers = { 'content-type': 'application/json', 'x-vertexsms-token': token ?? '' }
    const body = JSON.stringify({ to: '37061201234', from: 'Shop', message, scheduled })
    return (await fetch(`${product.apiUrl}/sms`, { method: 'POST', headers, body })).status
  }
  const [statuses] = await Promise.all([
    Promise.all(tokens.map((token) => schedule(token, 'of a deleted token'))),
    Promise.all(ids.map((id) => person.submit('/settings/api', [], `/settings/api/tokens/${id}/delete`))),
  ])
  const twin = await schedule(product.token, 'of a token that stays')
  const phone = () => person.page('/sandbox/phone?number=37061201234')
  await waitUntil(
    'the message of the token that stays',
    60_000,
    async () => (await phone()).includes('that stays') || undefined,
  )
  const out = (await phone()).split('of a deleted token').length - 1
  const [taken, refused] = [200, 401].map((wanted) => statuses.filter((status) => status === wanted).length)
  const seen = `${taken} were scheduled and ${refused} refused; ${out} of them went out; the other one answered ${twin} and arrived`
  expectRight(out === 0 && twin === 200 && ids.length === RACES && statuses.length === RACES, seen)
  return seen
}

function tool(name: string, args: Args, before: string, right: RegExp, others: Args = SMS): Probe {
  return {
    input: `${name} ${JSON.stringify(args)}`,
    before,
    async run({ mcpUrl, token }: Stack) {
      const { headers, body } = modernRequest('tools/call', { name, arguments: { ...others, ...args } })
      const authorization = `Bearer ${token}`
      const response = await fetch(mcpUrl, { method: 'POST', headers: { ...headers, authorization }, body })
      const answer = (await response.json()) as { result?: { content?: { text?: string }[] } }
      const text = answer.result?.content?.[0]?.text ?? JSON.stringify(answer)
      expectRight(right.test(text), text)
      return text
    },
  }
}

function rest(path: string, body: unknown, before: string, right: RegExp): Probe {
  return {
    input: `POST ${path} ${JSON.stringify(body)}`,
    before,
    async run({ apiUrl, token }: Stack) {
      const headers = { 'content-type': 'application/json', 'x-vertexsms-token': token }
      const response = await fetch(`${apiUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      const text = `${response.status} ${await response.text()}`
      expectRight(right.test(text), text)
      return text
    },
  }
}
