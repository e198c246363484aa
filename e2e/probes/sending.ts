import { modernRequest } from '../support/clients/raw.ts'
import type { Stack } from '../support/stack.ts'
import { expectRight, type Probe, type Topic } from './probe.ts'

type Args = Readonly<Record<string, unknown>>

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
    tool('send_sms', { to: '+37061860698', scheduled: '2027-02-30T09:00Z' }, 'scheduled for March', /date that exists/),
    tool('send_sms', { to: '["+37061860698"]', tool: 'x', sessionId: 'y' }, 'refused', /to \+37061860698 was/),
    rest('/numbers/correct', [{ number: '0011 65 9234 5678', country: 'AU' }], 'no number', /"\+6592345678"/),
    rest('/numbers/correct', [{ number: '009 372 512 3456', country: 'TH' }], 'Afghanistan', /"\+3725123456"/),
    rest('/sms', { ...SMS, to: '37061860698', dlrUrl: null, udh: null, coding: null }, 'refused', /^200 /),
    rest('/sms', { ...SMS, to: '37061860698', expireIn: '3600', from: 'Bakery ' }, 'refused', /^200 /),
    rest('/sms', { ...SMS, to: '37061860698', coding: 1, udh: '%05%00%03%CC%02%01' }, 'refused', /^200 /),
    rest('/sms', { ...SMS, to: '37061860698', coding: 0, message: 'x'.repeat(161) }, 'split', /too long for one part/),
    rest('/sms', { ...SMS, to: '37061860698', message: '   ' }, 'sent', /'message': it holds nothing/),
    rest(
      '/sms/cost',
      { ...SMS, to: '(51) 98765-4321', correctBy: 'BR', coding: 2 },
      'refused: it judged another message',
      /"to":"5551987654321"/,
    ),
  ],
}

function tool(name: string, args: Args, before: string, right: RegExp): Probe {
  return {
    input: `${name} ${JSON.stringify(args)}`,
    before,
    async run({ mcpUrl, token }: Stack) {
      const { headers, body } = modernRequest('tools/call', { name, arguments: { ...SMS, ...args } })
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
