// The page on which everything is decided: each sentence, field and warning of it, and what it does when it is sent.
import { randomBytes, randomUUID } from 'node:crypto'
import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { endConnection } from '../src/connections/end.ts'
import { ownDomains, passesFor } from '../src/connections/imitation.ts'
import { seenOf } from '../src/connections/who.ts'
import { warningsOf } from '../src/consent/warnings.ts'
import { LANGUAGES } from '../src/words/room.ts'
import { WORDS, type Words } from '../src/words/words.ts'
import { answer, connect, discover, exchange, register, start, type TestClient } from './support/client.ts'
import { later, realTime } from './support/clock.ts'
import { Outside } from './support/documents.ts'
import { type InternalApiDouble, startInternalApi } from './support/internal-api.ts'
import { CAN_MEET, meet } from './support/meeting.ts'
import { addCount, addMessage, addSpender } from './support/owners-data.ts'
import { checkboxes, hiddenField, type Person, refreshTarget, type View } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const outside = new Outside()
let stack: Stack
beforeAll(async () => {
  stack = await startStack({ outbound: outside })
})
afterAll(() => stack?.close())
afterEach(() => realTime(stack))

async function newPerson() {
  const { id: accountId } = await stack.account()
  return { accountId, person: await stack.person(accountId) }
}

const textOf = (html: string) => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')

/** Posts the consent form with every offered scope ticked, and some fields; the page that comes back. */
async function fill(person: Person, page: View, fields: Record<string, string>, scopes?: string[]): Promise<View> {
  const ticked = scopes ?? checkboxes(page.html, 'scope')
  return person.post(page.url, [
    ['csrf', hiddenField(page.html, 'csrf')],
    ['limits_from', hiddenField(page.html, 'limits_from')],
    ['limits_shown', hiddenField(page.html, 'limits_shown')],
    ...ticked.map((scope): [string, string] => ['scope', scope]),
    ...Object.entries({ decision: 'allow', ...fields }),
  ])
}

const spenderOf = (accountId: string) => stack.db.spender.findFirstOrThrow({ where: { accountId } })
const liveOf = (accountId: string) => stack.db.connection.findMany({ where: { accountId, endedAt: null } })

/** The amounts a day that a page offers, in their order, and which of them is chosen. */
const choices = (html: string) =>
  [...html.matchAll(/name="limit" value="([^"]*)" data-at="[^"]*"( checked)?/g)].map(([, value, is = '']) => value + is)

/** A client that is known by a document. */
async function published(): Promise<TestClient> {
  const id = `https://app.example/${randomUUID()}`
  const redirectUri = 'https://app.example/callback'
  outside.serve(id, { client_id: id, client_name: 'Published', redirect_uris: [redirectUri] })
  const server = await discover(stack)
  const known = await register(stack)
  return { ...known, server, client: { client_id: id }, redirectUri }
}

async function pageFor(metadata: Record<string, unknown>): Promise<string> {
  const { person } = await newPerson()
  return textOf((await person.open((await start(await register(stack, metadata))).url)).html)
}

describe('who asks', () => {
  it.each([
    ['Claude. We have checked this app', 'Claude. We have checked this app'],
    ['Claude”. We have checked this app. It says “hello', 'Claude’. We have checked this app. It says ’hello'],
    [`Claude". It's ours. „Hello“`, 'Claude’. It’s ours. ’Hello’'],
    // Marks that stand over no letter, of other alphabets too; the one that makes a sign an emoji is none.
    ['Claude \u0486\u0486. It says \u20f0hello', 'Claude ’. It says ’hello'],
    ['Claude \ufe0f\u030b. It says !\ufe0f\u0308hello', 'Claude \ufe0f’. It says !\ufe0f’hello'],
    ['Letters ❤\ufe0f 1\ufe0f\u20e3 #\ufe0f\u20e3 й', 'Letters ❤\ufe0f 1\ufe0f\u20e3 #\ufe0f\u20e3 й'],
  ])(
    'keeps a name that reads as words of ours between quotation marks, which it cannot end: %s',
    async (name, said) => {
      const client = await register(stack, { client_name: name, redirect_uris: ['https://app.example/cb'] })
      for (const [language, words] of [
        ['en', `It calls itself “<bdi class="name">${said}</bdi>”. Nobody`],
        ['lt', `Ji vadina save „<bdi class="name">${said}</bdi>“. Šio`],
      ]) {
        const { person } = await newPerson()
        await person.get(`/language?to=${language}`)
        expect((await person.open((await start(client)).url)).html).toContain(words)
      }
    },
  )

  it.each([
    ['https://www.claude.ai/cb', 'claude.ai', 'Full address: www.claude.ai'],
    ['https://user.github.io/cb', 'user.github.io', 'user.github.io'],
    ['https://a.b.example.co.uk/cb', 'example.co.uk', 'Full address: a.b.example.co.uk'],
    ['https://app.example:8443/cb', 'app.example', 'Full address: app.example:8443'],
    ['http://127.0.0.1:1234/cb', 'An app on this computer', 'The answer goes to 127.0.0.1'],
    ['http://localhost:1234/cb', 'An app on this computer', 'The answer goes to localhost'],
    ['cursor://anysphere.cursor-mcp/oauth/callback', 'An app that opens cursor: links', 'The answer goes to cursor:'],
    ['com.example.app:/callback', 'An app that opens links of its own', 'The answer goes to com.example.app:'],
  ])('%s is called %s', async (uri, title, fact) => {
    const { person } = await newPerson()
    const { html } = await person.open((await start(await register(stack, { redirect_uris: [uri] }))).url)
    const [, heading = ''] = /<h1[^>]*>(.*?)<\/h1>/.exec(html) ?? []
    expect(heading.replace('&#39;', "'")).toBe(title)
    expect(textOf(html)).toContain(fact)
  })

  it.each(['\u3164', '\u115f\u2800 \u1160', '\uffa0\u200b', '\u0301\u0336', ' \u20dd'])(
    'gives no name where it gives one that nobody sees: %j',
    async (client_name) => {
      const named = async (metadata: Record<string, unknown>) => {
        const client = await register(stack, { redirect_uris: ['https://app.example/cb'], ...metadata })
        const { person } = await newPerson()
        return textOf((await person.open((await start(client)).url)).html)
      }
      expect(await named({ client_name: `Nightly${client_name}` })).toContain('calls itself')
      expect(await named({ client_name })).not.toContain('calls itself')
    },
  )

  it('is named by the sign-in page that stands before it, and by no link to that page', async () => {
    const client = await register(stack, { redirect_uris: ['https://www.claude.ai/cb'] })
    const person = await stack.person()
    const page = await person.open((await start(client)).url)
    expect(page.url.pathname).toBe('/sign-in')
    expect(textOf(page.html)).toContain('to go on connecting claude.ai')
    // Of another request nothing is said, whatever its link says.
    for (const path of ['/interaction/another', '/interaction/another?app=bank.example', '/settings/api']) {
      const other = await person.get(`/sign-in?return_to=${encodeURIComponent(path)}&app=bank.example`)
      expect(textOf(other.html)).not.toMatch(/claude|bank/)
    }
    const stranger = await stack.person()
    const { html } = await stranger.get(page.url.href)
    expect(textOf(html)).toContain('to go on connecting your app')
  })

  it('is named by it as what it is not, by its address alone, before a password is typed for it', async () => {
    const titled = async (client_name: string, redirect_uri: string) => {
      const client = await register(stack, { client_name, redirect_uris: [redirect_uri] })
      return textOf((await (await stack.person()).open((await start(client)).url)).html)
    }
    const imitation = await titled('Notes', 'https://vertexsms-login.example/cb')
    expect(imitation).toContain('to go on connecting vertexsms-login.example (not VertexSMS)')
    expect(await titled('VertexSMS', 'https://app.example/cb')).toContain('to go on connecting app.example')
    expect(await titled('VertexSMS', 'https://app.example/cb')).not.toContain('not VertexSMS')
  })

  it('has no name on any page where it gives none', async () => {
    const { accountId, person } = await newPerson()
    await connect(await register(stack, { client_name: undefined, redirect_uris: ['https://app.example/cb'] }), person)
    const [connection] = await liveOf(accountId)
    const pages = ['/', '/settings/api', `/connections/${connection?.id}`, `/connections/${connection?.id}/disconnect`]
    for (const page of pages) {
      const { html } = await person.get(page)
      expect([page, textOf(html).includes('app.example')]).toEqual([page, true])
      expect([page, /calls itself|without a name|\(\)/.test(textOf(html))]).toEqual([page, false])
    }
  })

  it('is named by the page of a request that has ended, to the browser that saw it, and by no link to that page', async () => {
    const { person } = await newPerson()
    const client = await register(stack, { redirect_uris: ['https://www.claude.ai/cb'] })
    const page = await person.open((await start(client)).url)
    await later(901, stack)
    const ended = await person.get(page.url.pathname)
    expect(ended.status).toBe(400)
    expect(textOf(ended.html)).toContain('This request has ended Who asked: claude.ai.')
    expect(ended.html).toContain('href="/settings/api"')
    const { html } = await (await stack.person()).get(`${page.url.pathname}?app=claude.ai`)
    expect(textOf(html)).toContain('This request has ended')
    expect(textOf(html)).not.toContain('Who asked')
  })

  const seen = (name: string, redirectHost: string, documentHost: string | null = null) =>
    seenOf({ name, redirectHost, documentHost }, { ownDomains: ownDomains('https://tool.example') })
  const judged = (name: string, host: string) => warningsOf(seen(name, host), WORDS.en).join(' ')

  it.each([
    ['VertexSMS Support', 'app.example', 'Its name looks like ours', 'us'],
    ['Official V e r t e x - S M S', 'app.example', 'Its name looks like ours', 'us'],
    ['Vеrtехsмs', 'app.example', 'Its name looks like ours', 'us'],
    ['VertexSMS', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['VertexSMS Support (vertexsms)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['Support (VertexSMS)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['Claude Code (vertexsms)', 'app.example', 'Its name looks like ours', 'us'],
    // What a program may add to a name that we know, it may not add to any other.
    ['Support (vertexsms)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['Vertex (vertexsms)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['(vertexsms)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['Claude Code  (vertexsms)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['claude code (vertexsms)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['Claude Code (vertexsms support)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['Claude Code (vertexsms) (vertexsms)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['Claude Code (vеrtexsms)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['Claude Code (vertexsms) support', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['VertexSMS (vertexsms-token) (vertexsms)', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['🅥🅔🅡🅣🅔🅧🅢🅜🅢', 'app.example', 'Its name looks like ours', 'us'],
    ['🆅🅴🆁🆃🅴🆇🆂🅼🆂 help', 'cursor:', 'It belongs to an app that we did not make', 'us'],
    ['🇻🇪🇷🇹🇪🇽🇸🇲🇸', 'app.example', 'Its name looks like ours', 'us'],
    ['ꓦꓰꓣꓔꓰꓫꓢꓟꓢ', 'app.example', 'Its name looks like ours', 'us'],
    ['ᏙᎬᎡᎢᎬXᏚᎷᏚ', 'app.example', 'Its name looks like ours', 'us'],
    ['ʋɛɾŧɛxʂɱʂ', 'app.example', 'Its name looks like ours', 'us'],
    // Letters and signs that no list of ours names.
    ['V℮rt℮xSMS', 'app.example', 'Its name looks like ours', 'us'],
    ['V€rt€x$M$', 'app.example', 'Its name looks like ours', 'us'],
    ['Ver†ex§M§', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex💲M💲', 'app.example', 'Its name looks like ours', 'us'],
    ['Vᶒrtᶒxᵴmᵴ', 'app.example', 'Its name looks like ours', 'us'],
    ['VER丅EX SM丂', 'app.example', 'Its name looks like ours', 'us'],
    ['VERⲦEXSⲘS', 'app.example', 'Its name looks like ours', 'us'],
    ['V\u3164e\u3164r\u3164t\u3164e\u3164x\u3164S\u3164M\u3164S', 'app.example', 'Its name looks like ours', 'us'],
    ['V\u034fe\u115fr\u200btexS\ufe0fMS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex SMS ✓', 'app.example', 'Its name looks like ours', 'us'],
    ['SMS Vertex', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex SNS', 'app.example', 'Its name looks like ours', 'us'],
    ['vertexsnslogin', 'app.example', 'Its name looks like ours', 'us'],
    ['vertexxsmss4you', 'app.example', 'Its name looks like ours', 'us'],
    ['Vretexsms4you', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex SM', 'app.example', 'Its name looks like ours', 'us'],
    ['Vextex SMS', 'app.example', 'Its name looks like ours', 'us'],
    // Marks and small words between ours, and letters drawn with others.
    ['Vertex™ SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertexᵀᴹ SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex(TM) SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex🅫 SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['VertexTM SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['vertex-tm-sms', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex LT SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex.lt SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex UAB SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['SMS by Vertex', 'app.example', 'Its name looks like ours', 'us'],
    ['SMS from Vertex', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex for SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['V€rtex by SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['VertexSIVIS', 'app.example', 'Its name looks like ours', 'us'],
    ['VertexSlVlS', 'app.example', 'Its name looks like ours', 'us'],
    ['VertexS|V|S', 'app.example', 'Its name looks like ours', 'us'],
    ['VcrtcxSMS', 'app.example', 'Its name looks like ours', 'us'],
    ['V€rt€><SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex ZMS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex MSS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertx SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertaex SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['V e r t x S M S', 'app.example', 'Its name looks like ours', 'us'],
    ['VVertx SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['vertexsrnslogin', 'app.example', 'Its name looks like ours', 'us'],
    ['GetVetrexSMSNow', 'app.example', 'Its name looks like ours', 'us'],
    // A word ends at a sign as it does at a space.
    ['Vertx SMS+Mail', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertx SMS™Mail', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertx SMS?Mail', 'app.example', 'Its name looks like ours', 'us'],
    // Four letters of ours are enough beside those of another alphabet, and three are not.
    ['VERжжжSжж', 'app.example', 'Its name looks like ours', 'us'],
    ['VEжжжжSжж', 'app.example', 'different alphabets', 'another'],
    ['ᏙERTEX Mail', 'app.example', 'different alphabets', 'another'],
    ['Ⲥlaude', 'app.example', 'different alphabets', 'another'],
    ['App', 'com.vertexsms.app:', 'The link com.vertexsms.app: looks like ours', 'us'],
    ['App', 'app.vertex-sms.login:', 'The link app.vertex-sms.login: looks like ours', 'us'],
    ['VertexSMS', 'vertexsms.login.example', 'Its name and the address vertexsms.login.example look like ours', 'us'],
    ['Gооgle', 'app.example', 'different alphabets', 'another'],
    ['Δmazon', 'app.example', 'different alphabets', 'another'],
    ['ΩpenAI', 'app.example', 'different alphabets', 'another'],
    ['πaypal', 'app.example', 'different alphabets', 'another'],
    ['μetamask', 'app.example', 'different alphabets', 'another'],
    ['Vertex SIA SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['Vertex.io SMS', 'app.example', 'Its name looks like ours', 'us'],
    ['App', 'vertexsms.com.login.example', 'it belongs to login.example', 'us'],
    ['App', 'vertexsrns.example:8443', 'looks like ours', 'us'],
    ['App', 'vertex5ms.com', 'looks like ours', 'us'],
    ['App', 'vertex-tm-sms.example', 'looks like ours', 'us'],
    ['App', 'smsbyvertex.example', 'looks like ours', 'us'],
    ['App', 'vertexsns.com', 'looks like ours', 'us'],
    ['App', 'xn--80ak6aa92e.com', 'may imitate another', 'another'],
    ['App', 'xn--gogle-jye.example', 'may imitate another', 'another'],
    ['App', 'xn--oogle-qmc.com', 'may imitate another', 'another'],
    // Spelled in Latin letters, it is shown as it is written, and passes for nobody.
    ['App', 'xn--mller-kva.de', 'müller.de', null],
    ['App', 'xn--strae-oqa.example', 'straße.example', null],
    ['App', 'xn--algiris-cxb.lt', 'žalgiris.lt', null],
    ['μTοrrent', 'app.example', 'different alphabets', 'another'],
    ['αmazon', 'app.example', 'different alphabets', 'another'],
    ['App', '192.0.2.7', 'bare address', null],
    ['VertexSMS', '192.0.2.7', 'It belongs to 192.0.2.7.', 'us'],
    ['VertexSMS', 'intranet', 'It belongs to intranet.', 'us'],
    ['App', '[2001:db8::1]:8443', 'bare address', null],
  ] as const)('with the name %s at %s is warned of', (name, host, words, whom) => {
    expect(judged(name, host)).toContain(words)
    expect(passesFor(seen(name, host))).toBe(whom)
  })

  it.each([
    ['Claude', 'claude.ai'],
    ['Vertex Search', 'search.example'],
    ['SMS Gateway', 'cursor:'],
    // Words that begin as ours does, or end so.
    ['Vertex Systems', 'vertexsystems.example'],
    ['Vertex Smart Home', 'vertexsmart.example'],
    ['Vertex SSO', 'vertexsso.example'],
    ['Vertex Sense', 'vertexsense.example'],
    // Two letters are off.
    ['Kertx SMS', 'app.example'],
    ['Vertex DNS', 'app.example'],
    ['Vertex SAS', 'app.example'],
    ['Vertex S.A.S.', 'app.example'],
    ['Vertex S.M.E.', 'app.example'],
    ['Vertex CMS', 'app.example'],
    ['Vertex LMS', 'app.example'],
    ['Vertex TMS', 'app.example'],
    ['Vertex OMS', 'app.example'],
    ['Vertex PMS', 'app.example'],
    ['Vertex RMS', 'app.example'],
    ['Vertex HMS', 'app.example'],
    ['Vertex EMS', 'app.example'],
    ['Vertex WMS', 'app.example'],
    ['Vertex SMB', 'app.example'],
    ['Vertex SME', 'app.example'],
    ['Vertex for MS Teams', 'app.example'],
    ['SMS Advert Exchange', 'app.example'],
    ['\u00b5Torrent', 'app.example'],
    ['\u03bcTorrent', 'app.example'],
    ['App', 'vertexsys.com'],
    ['App', 'vertex-sas.fr'],
    ['App', 'vertex-cms.example'],
    ['Convert Exams', 'app.example'],
    ['Covertex SMB', 'app.example'],
    ['Vertex 🚀🚀🚀', 'app.example'],
    ['Vertex Поиск', 'app.example'],
    ['Vertex 智能助手', 'app.example'],
    ['ChatGPTアシスタント', 'app.example'],
    ['AIผู้ช่วย', 'app.example'],
    ['Claude\u{10fff}', 'app.example'],
    ['Claude Code (vertexsms)', 'cursor:'],
    ['Claude Code (vertexsms-token)', 'cursor:'],
    ['mcporter (vertexsms)', 'cursor:'],
    ['Claude Code (VertexSMS)', 'cursor:'],
    ['Claude Code (vertex-sms)', 'cursor:'],
    ['mcporter (Vertex SMS token)', 'cursor:'],
    ['App', 'com.example.app:'],
    ['🇱🇹 Orders 🅿️', 'app.example'],
    ['Приложение', 'app.example'],
    ['VertexSMS Console', 'console.vertexsms.com'],
    ['VertexSMS of ours', 'apps.tool.example'],
  ])('with the name %s at %s is not', (name, host) => {
    expect(judged(name, host)).toBe('')
    expect(passesFor(seen(name, host))).toBeNull()
  })

  // Every host that answers for an app is judged, not only where its answers go.
  it.each([
    ['Claude Code (vertexsms)', 'localhost', 'evil.example', 'us'],
    ['Notes', 'localhost', 'vertex-sms.example', 'us'],
    ['Notes', 'app.example', 'vertexsms.login.example', 'us'],
    ['Notes', 'cursor:', 'xn--80ak6aa92e.com', 'another'],
    ['VertexSMS Desktop', 'localhost', 'app.vertexsms.com', null],
    ['VertexSMS Desktop', 'localhost', 'app.vertexsms.com.login.example', 'us'],
    ['Notes', 'localhost', 'notes.example', null],
  ] as const)('with the name %s at %s, published at %s, passes for %s', (name, host, documentHost, whom) => {
    expect(passesFor(seen(name, host, documentHost))).toBe(whom)
  })

  it('is said to belong to whoever answers for the address that looks like ours, not for another of its addresses', () => {
    const words = warningsOf(seen('Notes', 'app.example', 'vertexsms.login.example'), WORDS.en)
    expect(words).toEqual(['The address vertexsms.login.example looks like ours, but it belongs to login.example.'])
  })

  it('is warned of once on the page, beside its name, and then Deny is the button that stands out', async () => {
    const { person } = await newPerson()
    const standsOut = /<button class="button button-primary" name="decision" value="(\w+)"/g
    const open = async (metadata: Record<string, unknown>) => {
      const { html } = await person.open((await start(await register(stack, metadata))).url)
      const ticked = [...html.matchAll(/name="scope" value="([^"]*)" checked/g)].map(([, name]) => name)
      return { text: textOf(html), ticked, buttons: [...html.matchAll(standsOut)].map(([, decision]) => decision) }
    }
    const redirect_uris = ['https://vertexsms.com.login.example/cb']
    const warned = await open({ client_name: 'VertexSMS Support', redirect_uris })
    expect(warned.text).toContain('login.example not VertexSMS')
    expect(warned.text.match(/Careful\./g)).toHaveLength(1)
    expect(warned.text).toContain('Its name and the address vertexsms.com.login.example look like ours')
    expect(warned.buttons).toEqual(['deny'])
    expect(warned.ticked).toEqual(['sms:rates', 'numbers:read'])
    const plain = await open({ redirect_uris: ['https://app.example/cb'] })
    expect(plain.text).not.toMatch(/Careful\.|not VertexSMS/)
    expect(plain.buttons).toEqual(['allow'])
    expect(plain.ticked).toEqual(SCOPE_NAMES)
  })

  it('on this computer that adds the name of our server to its own is no imitation', async () => {
    const { person } = await newPerson()
    const client = { client_name: 'Claude Code (vertexsms)', redirect_uris: ['http://localhost:3118/callback'] }
    const { html } = await person.open((await start(await register(stack, client))).url)
    expect(textOf(html)).toContain('Claude Code (vertexsms)')
    expect(textOf(html)).not.toMatch(/Careful\.|not VertexSMS/)
    expect(html.match(/name="scope" value="[^"]*" checked/g)).toHaveLength(SCOPE_NAMES.length)
  })

  it('is warned of for a link of its own that looks like ours, which is no domain that anybody answers for', async () => {
    const { person } = await newPerson()
    const client = { client_name: 'App', redirect_uris: ['com.vertexsms.app:/cb'] }
    const { html } = await person.open((await start(await register(stack, client))).url)
    expect(textOf(html)).toContain('not VertexSMS')
    expect(textOf(html)).toContain('The link com.vertexsms.app: looks like ours')
    expect(html).toContain('<button class="button button-primary" name="decision" value="deny">')
  })

  it('leads nobody on by a button that stands out, nor by itself once it was denied, where it is warned of', async () => {
    for (const [redirect_uri, allowed, denied] of [
      ['https://vertexsms.com.login.example/cb', 'button button-wide', 'name'],
      ['https://app.example/cb', 'button button-primary button-wide', 'button button-wide'],
    ] as const) {
      for (const decision of ['allow', 'deny']) {
        const { person } = await newPerson()
        const page = await person.open((await start(await register(stack, { redirect_uris: [redirect_uri] }))).url)
        const { html } = await fill(person, page, { decision, scope: 'sms:rates' })
        const way = decision === 'allow' ? allowed : denied
        expect(html).toContain(`<a class="${way}" href="${stack.issuer}/oauth/authorize/`)
        expect(html.includes('http-equiv="refresh"')).toBe(decision === 'allow' || denied !== 'name')
      }
    }
  })

  it('is shown with at most three marks on a letter, which would else be drawn over the lines around', async () => {
    const { person } = await newPerson()
    const marks = (count: number) => '\u030d'.repeat(count)
    const { html } = await person.open((await start(await register(stack, { client_name: `q${marks(60)}z` }))).url)
    expect(html).toContain(`q${marks(3)}z`)
    expect(html).not.toContain(marks(4))
  })

  it('is told what is wrong with an amount at its field, and what was typed is never called the limit', async () => {
    const { person } = await newPerson()
    const page = await person.open((await start(await register(stack))).url)
    const { html, status } = await fill(person, page, { limit: '5.00', own_limit: 'five', countries: 'Lithuania' })
    expect(status).toBe(422)
    expect(html).toMatch(
      /<input id="own_limit"[^>]* aria-describedby="own_limit-problem" aria-invalid="true" autofocus>/,
    )
    expect(html).toMatch(/<input id="countries"[^>]* aria-describedby="countries-problem" aria-invalid="true">/)
    expect(html).toMatch(/id="own_limit-problem" role="alert">Enter an amount in EUR a day/)
    const [, folded = ''] = /<summary>(.*?)<\/summary>/s.exec(html) ?? []
    expect(textOf(folded)).toMatch(/Amount not accepted \(see below\) .* countries not accepted/)
    expect(textOf(folded)).not.toMatch(/five|Lithuania/)
    expect(html.match(/Amount not accepted/g)).toHaveLength(1)
    // None of the amounts that are offered looks chosen beside one that was typed.
    expect([...html.matchAll(/name="limit" value="([^"]*)"[^>]* checked/g)].map(([, value]) => value)).toEqual([
      'other',
    ])
  })

  it('is cut with an ellipsis where it goes on too long, turned by nothing, and loads no picture', async () => {
    const name = `\u202eevil ${'x'.repeat(2000)}`
    const logo = 'https://evil.example/logo.png'
    const client = await register(stack, { client_name: name, logo_uri: logo })
    const { person } = await newPerson()
    const { html } = await person.open((await start(client)).url)
    expect(html).toMatch(/<bdi class="name">evil x+…<\/bdi>/)
    expect(html).not.toContain('\u202e')
    expect(html).not.toContain('logo.png')
    expect(outside.asked).not.toContain(logo)
  })

  const ATTACKS: readonly [
    what: string,
    metadata: Record<string, unknown>,
    warning: keyof Words['consent']['warnings'],
  ][] = [
    ['the name of our support', { client_name: 'VertexSMS Support' }, 'nameLikeOurs'],
    ['our name in letters of another alphabet', { client_name: 'Vеrtехsмs' }, 'nameLikeOurs'],
    ['a name of mixed alphabets', { client_name: 'Gооgle' }, 'mixedName'],
    [
      'our address as the beginning of another',
      { redirect_uris: ['https://vertexsms.com.login.example/cb'] },
      'hostLikeOurs',
    ],
    ['a punycode address', { redirect_uris: ['https://xn--80ak6aa92e.com/cb'] }, 'shownAs'],
    ['an address of mixed alphabets', { redirect_uris: ['https://xn--gogle-jye.example/cb'] }, 'mixedHost'],
    ['a bare address', { redirect_uris: ['https://192.0.2.7/cb'] }, 'bareAddress'],
  ]
  // Each in one language, the languages in turn, and in all of them where there is time for it.
  const CASES = ATTACKS.flatMap((attack, at) =>
    LANGUAGES.filter((_, turn) => process.env.TEST_FULL || at % LANGUAGES.length === turn).map(
      (language) => [...attack, language] as const,
    ),
  )

  it.each(CASES)('that imitates us by %s is warned of (%#)', async (_what, metadata, warning, language) => {
    const { person } = await newPerson()
    person.store(new URL(stack.issuer), [`vertexsms_language=${language}; Path=/`])
    const sent = { redirect_uris: ['https://app.example/cb'], logo_uri: 'https://evil.example/logo.png', ...metadata }
    const { html } = await person.open((await start(await register(stack, sent))).url)
    expect(html).toContain(`<html lang="${language}">`)
    const made = WORDS[language].consent.warnings[warning]
    // What stands in the sentence differs; what it says does not.
    const sentence = typeof made === 'string' ? [made] : made('\0', '\0').split('\0')
    const text = textOf(html)
    for (const part of sentence) expect(text).toContain(part.trim())
    expect(text).toContain(WORDS[language].consent.careful)
    // Nothing that turns the text around, nothing from elsewhere.
    expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
    expect(html).not.toMatch(/<(img|script|iframe|link)[^>]*(src|href)="(https?:)?\/\//)
    expect(outside.asked).not.toContain('https://evil.example/logo.png')
  })

  it('without a name says that it has none', async () => {
    expect(await pageFor({ client_name: undefined })).toContain('It gives no name.')
  })
})

describe('what is set while allowing', () => {
  it('is 5.00 EUR a day and 30 days unless the person says otherwise', async () => {
    const { accountId, person } = await newPerson()
    const page = await person.open((await start(await register(stack))).url)
    expect(page.html).toMatch(/name="limit" value="5\.00" data-at="1" checked/)
    expect(page.html).toMatch(/<option value="30d" selected>/)
    await answer(person, page)
    expect(await spenderOf(accountId)).toMatchObject({ maxPerDayMicros: 5_000_000n, countries: [] })
    const [connection] = await liveOf(accountId)
    expect(Number(connection?.expiresAt) - Number(connection?.approvedAt)).toBe(30 * 86_400_000)
  })

  it.each([
    ['2', ['1.00', '2.00 checked', '5.00', '20.00', 'none', 'other'], 2_000_000n],
    ['none', ['1.00', '5.00', '20.00', 'none checked', 'other'], null],
  ])('begins as whoever runs the server says, at %s EUR a day', async (CONNECTION_MAX_PER_DAY_EUR, offered, micros) => {
    const own = await startStack({ settings: { CONNECTION_MAX_PER_DAY_EUR } })
    const { id: accountId } = await own.account()
    const person = await own.person(accountId)
    const page = await person.open((await start(await register(own))).url)
    expect(choices(page.html)).toEqual(offered)
    await answer(person, page)
    expect((await own.db.spender.findFirstOrThrow({ where: { accountId } })).maxPerDayMicros).toBe(micros)
    await own.close()
  })

  it.each([
    [{ limit: '1.00' }, 1_000_000n],
    [{ limit: '5.00', own_limit: '0,50 EUR' }, 500_000n],
    [{ limit: '1.00', own_limit: '500' }, 1_000_000n],
    [{ limit: 'none', own_limit: '3' }, 3_000_000n],
    [{ limit: 'other', own_limit: '120' }, 120_000_000n],
    [{ limit: 'none' }, null],
    [{ limit: 'other', own_limit: '2.50' }, 2_500_000n],
  ])('is the amount of %j', async (fields, micros) => {
    const { accountId, person } = await newPerson()
    await fill(person, await person.open((await start(await register(stack))).url), fields)
    expect((await spenderOf(accountId)).maxPerDayMicros).toBe(micros)
  })

  it('is the countries and the time, and no token outlives the end', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    const flow = await start(client)
    const done = await fill(person, await person.open(flow.url), { countries: 'lt, LV', lasts: '1h' })
    const back = await person.open(new URL(refreshTarget(done.html) ?? '', person.origin))
    const tokens = await exchange(client, flow, back.url)
    expect((await spenderOf(accountId)).countries).toEqual(['LT', 'LV'])
    await later(3500, stack)
    expect(tokens.expiresIn).toBeLessThanOrEqual(3600)
    const rows = await stack.db.apiToken.findMany({ where: { accountId } })
    const [connection] = await liveOf(accountId)
    for (const row of rows) expect(Number(row.expiresAt)).toBeLessThanOrEqual(Number(connection?.expiresAt))
  })

  it.each([
    [{ own_limit: 'five' }, 'amount in EUR'],
    [{ own_limit: '-1' }, 'amount in EUR'],
    [{ limit: 'constructor' }, 'amount in EUR'],
    [{ limit: 'other', own_limit: '' }, 'amount in EUR'],
    [{ limit: 'other', own_limit: '5,000' }, '“5,000” can be read as 5.00 or as 5000.00.'],
    [{ limit: 'other', own_limit: '1.500 EUR' }, '“1.500” can be read as 1.50 or as 1500.00.'],
    [{ countries: ',' }, 'Countries'],
    [{ countries: ' ; ' }, 'Countries'],
    [{ countries: 'LT Lithuania' }, '“Lithuania” is not a country code. Enter two-letter codes'],
    [{ lasts: '10y' }, 'how long'],
  ])('is asked again with what was typed for %j, and nothing is allowed', async (fields, words) => {
    const { accountId, person } = await newPerson()
    const view = await fill(person, await person.open((await start(await register(stack))).url), fields, ['sms:send'])
    expect(view.status).toBe(422)
    expect(textOf(view.html)).toContain(words)
    expect(view.html).toContain('value="sms:send" checked')
    expect(view.html).not.toContain('value="sms:rates" checked')
    // At that field alone.
    expect(view.html.match(/ id="\w+-problem"/g)).toHaveLength(1)
    expect(await liveOf(accountId)).toHaveLength(0)
  })

  it.each([
    ['31536000', ['1h', '1d', '30d', '1y'], '30d'],
    ['86400', ['1h', '1d'], '1d'],
    ['3600', ['1h'], '1h'],
    ['300', ['all'], 'all'],
  ])('is at most the time that a connection may live, of %s s', async (CONNECTION_SECONDS, values, usual) => {
    const own = await startStack({ settings: { CONNECTION_SECONDS } })
    const { id: accountId } = await own.account()
    const person = await own.person(accountId)
    const page = await person.open((await start(await register(own))).url)
    const [, offered = ''] = /<select[^>]* name="lasts"[^>]*>(.*?)<\/select>/s.exec(page.html) ?? []
    const times = [...offered.matchAll(/<option value="(\w+)"( selected)?>/g)]
    expect(times.map(([, value]) => value)).toEqual(values)
    expect(times.filter(([, , selected]) => selected).map(([, value]) => value)).toEqual([usual])
    expect((await fill(person, page, { lasts: values.includes('1y') ? 'all' : '1y' })).status).toBe(422)
    const longest = values.at(-1) ?? ''
    expect((await fill(person, page, { lasts: longest })).status).toBe(200)
    const connection = await own.db.connection.findFirstOrThrow({ where: { accountId } })
    expect(Number(connection.expiresAt) - Number(connection.approvedAt)).toBe(Number(CONNECTION_SECONDS) * 1000)
    await own.close()
  })

  it('is never wider than what the app asked to be held to', async () => {
    const { accountId, person } = await newPerson()
    const asked = JSON.stringify([{ type: 'vertexsms_send', maxPerDay: '2', countries: ['LT', 'LV'] }])
    const page = await person.open((await start(await register(stack), { authorization_details: asked })).url)
    expect(choices(page.html)).toEqual(['1.00', '2.00 checked', 'other'])
    expect((await fill(person, page, { own_limit: '3' })).html).toContain('asked to be held to 2.00 EUR')
    const none = await fill(person, page, { limit: 'none' })
    expect([none.status, choices(none.html)]).toEqual([422, ['1.00', '2.00', 'other checked']])
    expect(none.html).toContain('name="own_limit" value=""')
    expect((await fill(person, page, { countries: 'EE' })).html).toContain('asked for LT, LV alone')
    // What is typed is said as it will hold.
    const seen = await fill(person, page, { decision: 'look', countries: 'LV, EE' })
    expect(seen.html).toContain('<span class="says-some-now">to LV</span>')
    await fill(person, page, { own_limit: '1.50', countries: '' })
    expect(await spenderOf(accountId)).toMatchObject({ maxPerDayMicros: 1_500_000n, countries: ['LT', 'LV'] })
  })

  it('is called as it will hold where no country is typed: those that the app asked for, else any', async () => {
    const { person } = await newPerson()
    const folded = async (asked: Record<string, unknown>) => {
      const authorization_details = JSON.stringify([{ type: 'vertexsms_send', ...asked }])
      const page = await person.open((await start(await register(stack), { authorization_details })).url)
      const { html } = await fill(person, page, { decision: 'look', countries: '' })
      const [, said = ''] = /<span class="says says-any is-chosen">(.*?)<\/span>/.exec(html) ?? []
      const [, hint = ''] = /<input id="countries"[^>]* placeholder="([^"]*)"/.exec(html) ?? []
      return [said, hint]
    }
    expect(await folded({ countries: ['LV', 'LT'] })).toEqual(['to LT, LV', 'LT, LV'])
    expect(await folded({ maxPerDay: '2' })).toEqual(['to any country', 'any; or LT, LV'])
  })

  it('is chosen as it is offered, also where it has three decimals', async () => {
    const { accountId, person } = await newPerson()
    const asked = JSON.stringify([{ type: 'vertexsms_send', maxPerDay: '1.234' }])
    const page = await person.open((await start(await register(stack), { authorization_details: asked })).url)
    expect(page.html).toMatch(/value="1\.234"[^>]* checked/)
    await fill(person, page, { limit: '1.234' })
    expect(await spenderOf(accountId)).toMatchObject({ maxPerDayMicros: 1_234_000n })
  })

  it('is only shown by the button that shows it', async () => {
    const { accountId, person } = await newPerson()
    const page = await person.open((await start(await register(stack))).url)
    const view = await fill(person, page, { decision: 'look', own_limit: '7.5', lasts: '1d' })
    expect(view.status).toBe(200)
    expect(view.html).toContain('name="own_limit" value="7.5"')
    expect(view.html).toContain('<option value="1d" selected>')
    const less = await fill(person, page, { decision: 'look', limit: '1.00', own_limit: '500' })
    expect(less.html).toMatch(/value="1\.00" data-at="0" checked/)
    expect(less.html).toContain('name="own_limit" value=""')
    const more = await fill(person, page, { decision: 'look', limit: '5.00', own_limit: '2' })
    expect(more.html).toMatch(/value="other" data-at="other" checked/)
    // As it was typed, also where the same is offered.
    for (const own_limit of ['2', '1']) {
      const { html } = await fill(person, page, { decision: 'look', limit: '5.00', own_limit })
      expect([choices(html).at(-1), hiddenField(html, 'own_limit')]).toEqual(['other checked', own_limit])
    }
    expect(await liveOf(accountId)).toHaveLength(0)
  })
})

describe('the answer', () => {
  it('with nothing ticked says so and asks again; only Deny denies', async () => {
    const { accountId, person } = await newPerson()
    const page = await person.open((await start(await register(stack))).url)
    const view = await fill(person, page, {}, [])
    expect(view.status).toBe(422)
    expect(view.html).toContain('Nothing is ticked')
    expect((await fill(person, page, { decision: 'constructor' })).html).toContain('Allow access')
    expect((await fill(person, page, {})).html).toContain('Access is allowed')
    expect(await liveOf(accountId)).toHaveLength(1)
  })

  it('that allows says for whose account, to whoever gave it, and once more to nobody else', async () => {
    const { accountId, person } = await newPerson()
    const { email } = await stack.db.account.findUniqueOrThrow({ where: { id: accountId } })
    const page = await person.open((await start(await register(stack))).url)
    const told = `Access is allowed for ${email} .`
    const look = async () => {
      const { status, html } = await person.get(page.url)
      return [status, textOf(html).includes(told), ['Access is allowed', email].some((part) => html.includes(part))]
    }
    expect(textOf((await fill(person, page, {})).html)).toContain(told)
    expect(await look()).toEqual([200, true, true])
    // Signed out, and then somebody else in the same browser, to whose account nothing is connected.
    const [own, other] = [person.cookieHeader('/'), (await newPerson()).person.cookieHeader('/')]
    person.store(page.url, [`${own.split('=')[0]}=; Max-Age=0; Path=/`])
    expect(await look()).toEqual([400, false, false])
    person.store(page.url, [`${other}; Path=/`])
    expect(await look()).toEqual([400, false, false])
    expect((await fill(person, page, {})).headers.get('location')).toBe(page.url.pathname)
    person.store(page.url, [`${own}; Path=/`])
    expect(await look()).toEqual([200, true, true])
  })

  it('that denies is shown to whoever opens it again, since nothing was connected', async () => {
    const { person } = await newPerson()
    const page = await person.open((await start(await register(stack))).url)
    await fill(person, page, { decision: 'deny' })
    const { status, html } = await person.get(page.url)
    expect([status, html.includes('Access denied')]).toEqual([200, true])
  })

  it('of whoever is signed out by now decides nothing, and leads to signing in for it', async () => {
    const { accountId, person } = await newPerson()
    const page = await person.open((await start(await register(stack))).url)
    await stack.db.session.deleteMany({ where: { accountId } })
    const sent = await fill(person, page, {})
    expect([sent.status, sent.headers.get('location')]).toEqual([303, page.url.pathname])
    const opened = await person.get(page.url)
    expect([opened.status, opened.headers.get('location')]).toEqual([303, `/sign-in?return_to=${page.url.pathname}`])
    expect(await liveOf(accountId)).toHaveLength(0)
  })

  it('that denies has a page of its own, and leads back', async () => {
    const { person } = await newPerson()
    const page = await person.open((await start(await register(stack, { client_name: 'Denied one' }))).url)
    const { html } = await fill(person, page, { decision: 'deny' })
    const text = textOf(html)
    expect(text).toContain('Access denied')
    expect(text).toContain(
      'An app on this computer answers go to 127.0.0.1 calls itself “ Denied one ” It gets no access',
    )
    expect(text).not.toContain('Once the app shows that it is done')
    const { url } = await person.open(new URL(refreshTarget(html) ?? '', page.url))
    expect(url.searchParams.get('error')).toBe('access_denied')
  })

  it('that denies one who passes for us opens it by nothing but a press, which does not stand out', async () => {
    const { person } = await newPerson()
    const imitation = { client_name: 'VertexSMS Support', redirect_uris: ['https://vertexsms.com.login.example/cb'] }
    const page = await person.open((await start(await register(stack, imitation))).url)
    const { html } = await fill(person, page, { decision: 'deny' })
    expect(refreshTarget(html)).toBeNull()
    expect(html).toMatch(/<p class="small"><a class="name" href="[^"]+">Back to login\.example<\/a>/)
    expect(html.match(/<a class="button[^>]*>/g)).toEqual(['<a class="button button-primary button-wide" href="/">'])
  })

  it('Allow reading only gives what only reads of what is ticked', async () => {
    const { accountId, person } = await newPerson()
    const page = await person.open((await start(await register(stack))).url)
    expect(page.html).toContain('Allow reading only')
    await fill(person, page, { decision: 'reading' })
    expect((await liveOf(accountId))[0]?.scopes).toEqual(['sms:rates', 'numbers:read'])
    const narrow = await person.open((await start(await register(stack))).url)
    expect((await fill(person, narrow, { decision: 'reading' }, ['sms:send'])).status).toBe(422)
    const spending = await person.open((await start(await register(stack), { scope: 'sms:send hlr:lookup' })).url)
    expect(spending.html).not.toContain('Allow reading only')
  })

  it('is one button where all that is asked for is to read, and says and asks nothing of spending', async () => {
    const { accountId, person } = await newPerson()
    const limits = { maxPerDayMicros: 2_500_000n, countries: ['LT'], pausedAt: new Date() }
    const row = { id: accountId, accountId, kind: 'account', createdAt: new Date(), ...limits } as const
    await stack.db.spender.create({ data: row })
    const open = async (scope: string) => person.open((await start(await register(stack), { scope })).url)
    const OF_SPENDING = ['EUR', 'has spent', 'Everything is paused', 'limits of your account', 'Allow reading only']
    const buttons = ({ html }: View) => [...html.matchAll(/name="decision" value="(\w+)"/g)].map(([, word]) => word)
    const told = ({ html }: View) => OF_SPENDING.filter((words) => textOf(html).includes(words))
    expect(told(await open('sms:rates hlr:lookup'))).toEqual(OF_SPENDING)
    const page = await open('sms:rates numbers:read')
    expect([told(page), buttons(page)]).toEqual([[], ['look', 'deny', 'allow']])
    expect(page.html).not.toMatch(/name="(limit|own_limit|countries)"/)
    expect(textOf(page.html)).toContain('Stays connected for 30 days')
    // Nor where it comes from another page.
    expect((await fill(person, page, { own_limit: 'five', countries: ',', lasts: '10y' })).status).toBe(422)
    const wrong = await fill(person, page, { own_limit: 'five', countries: ',', lasts: '1d' })
    expect([wrong.status, textOf(wrong.html).includes('Access is allowed')]).toEqual([200, true])
    // An app that registers senders has no fields for money either.
    const registers = await open('sender:write')
    expect((await fill(person, registers, { limit: 'other', own_limit: 'five', countries: ',' })).status).toBe(200)
    // What binds senders is said of an app that may register them, and amounts are not.
    const senders = await open('sender:write')
    expect(told(senders)).toEqual(['Everything is paused', 'limits of your account'])
    expect(textOf(senders.html)).toContain('The limits of your account hold as well: only to Lithuania.')
  })

  it.each([
    ['Allow reading only', { decision: 'reading' }, undefined],
    ['Allow access, with nothing ticked but what reads', { decision: 'allow' }, ['sms:rates', 'numbers:read']],
  ])('%s is refused for nothing that is wrong with what binds spending alone', async (_what, press, ticked) => {
    const { accountId, person } = await newPerson()
    for (const fields of [{ limit: 'other', own_limit: 'five' }, { countries: 'Lithuania' }]) {
      const page = await person.open((await start(await register(stack))).url)
      expect((await fill(person, page, { ...fields, ...press, lasts: '10y' }, ticked)).status).toBe(422)
      expect((await fill(person, page, { ...fields, ...press }, ticked)).status).toBe(200)
    }
    for (const { scopes } of await liveOf(accountId)) expect(scopes).toEqual(['sms:rates', 'numbers:read'])
    const spenders = await stack.db.spender.findMany({ where: { accountId } })
    expect(spenders.map((one) => [one.maxPerDayMicros, one.countries])).toEqual([
      [5_000_000n, []],
      [5_000_000n, []],
    ])
  })

  it.each([
    ['Allow access, with nothing ticked', { decision: 'allow' }, []],
    ['Allow access, with more ticked than what reads', { decision: 'allow' }, ['sms:rates', 'sms:send']],
    ['a look at the page, with nothing ticked but what reads', { decision: 'look' }, ['sms:rates']],
  ])('%s is told what is wrong with an amount', async (_what, press, ticked) => {
    const { accountId, person } = await newPerson()
    const page = await person.open((await start(await register(stack))).url)
    const view = await fill(person, page, { ...press, limit: 'other', own_limit: 'five' }, ticked)
    expect([view.status, view.html.includes('id="own_limit-problem"')]).toEqual([422, true])
    expect(textOf(view.html).includes('Nothing is ticked')).toBe(ticked.length === 0)
    expect(await liveOf(accountId)).toEqual([])
    // And not where it binds nothing.
    expect((await fill(person, page, { limit: 'other', own_limit: 'five' }, ['sms:rates'])).status).toBe(200)
    expect((await liveOf(accountId)).map(({ scopes }) => scopes)).toEqual([['sms:rates']])
  })

  it('what is right of what was typed counts where nothing is ticked but what reads: it binds what may be ticked later', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    const answer = async (fields: Record<string, string>) =>
      textOf((await fill(person, await person.open((await start(client)).url), fields, ['sms:rates'])).html)
    expect(await answer({ limit: 'other', own_limit: '3', countries: 'LT' })).toContain('Access is allowed')
    const bounds = { maxPerDayMicros: 3_000_000n, countries: ['LT'] }
    expect(await spenderOf(accountId)).toMatchObject(bounds)
    // What fits nothing that binds it already keeps nobody from reading, and changes nothing.
    expect(await answer({ countries: 'LV' })).toContain('Access is allowed')
    expect(await spenderOf(accountId)).toMatchObject(bounds)
  })

  it('Allow reading only says what is missing where nothing that reads is ticked, and keeps what is', async () => {
    const { person } = await newPerson()
    const page = await person.open((await start(await register(stack))).url)
    const view = await fill(person, page, { decision: 'reading', own_limit: 'five' }, ['sms:send'])
    expect([view.status, textOf(view.html).includes('Nothing that only reads is ticked')]).toEqual([422, true])
    expect(view.html).toContain('value="sms:send" checked')
    expect(view.html).toContain('name="own_limit" value="five"')
  })
})

describe('an app that reconnects', () => {
  it('is shown with what it has and what is new, and its form starts from its row', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    await connect(client, person, { choice: { scopes: ['sms:rates', 'sms:send'] } })
    const { id } = await spenderOf(accountId)
    const data = { maxPerDayMicros: 2_000_000n, countries: ['LT'], maxTotalMicros: 9_000_000n }
    await stack.db.spender.update({ where: { id }, data })
    const page = await person.open((await start(client, { scope: 'sms:rates hlr:lookup' })).url)
    const text = textOf(page.html)
    expect(text).toMatch(/It is connected already\. Allowed just now , never used\. What you allow now replaces/)
    expect(text).toContain('It no longer asks to send SMS, so it loses that.')
    expect(text).toContain('at most 9.00 EUR in total')
    expect(page.html).toMatch(/value="2\.00" data-at="1" checked/)
    expect(page.html).not.toContain('value="5.00"')
    expect(page.html).not.toContain('value="none"')
    expect(page.html).toContain('name="countries" value="LT"')
    const rows = [...page.html.matchAll(/<label class="grant">.*?<\/label>/gs)].map(([row]) => row)
    expect(rows.map((row) => row.includes('>new<'))).toEqual([false, true])
    await answer(person, page)
    expect(await spenderOf(accountId)).toMatchObject(data)
  })

  it('gets more only once it was typed and confirmed as old and new', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    await connect(client, person)
    const page = await person.open((await start(client)).url)
    const wider = { own_limit: '8', countries: '' }
    const asked = await fill(person, page, wider)
    expect(asked.status).toBe(422)
    expect(textOf(asked.html)).toContain('Limit: 5.00 EUR a day → becomes 8.00 EUR a day')
    expect(await spenderOf(accountId)).toMatchObject({ maxPerDayMicros: 5_000_000n })
    const confirmed = hiddenField(asked.html, 'confirmed')
    expect((await fill(person, page, { ...wider, own_limit: '800', confirmed })).status).toBe(422)
    expect((await fill(person, page, { ...wider, confirmed })).status).toBe(200)
    expect(await spenderOf(accountId)).toMatchObject({ maxPerDayMicros: 8_000_000n })
  })

  it('gets no other countries, and no more money beside them, than were confirmed', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    await connect(client, person)
    const [{ id } = { id: '' }] = await stack.db.spender.findMany({ where: { accountId } })
    await stack.db.spender.update({ where: { id }, data: { countries: ['LT', 'LV'] } })
    const page = await person.open((await start(client)).url)
    const asked = await fill(person, page, { countries: 'LT, LV, EE' })
    expect(asked.status).toBe(422)
    expect(textOf(asked.html)).toContain('Countries: LT, LV → becomes EE, LT, LV')
    const confirmed = hiddenField(asked.html, 'confirmed')
    for (const other of [{ countries: 'LT, LV, DE' }, { countries: '' }, { countries: 'LT, LV, EE', own_limit: '6' }])
      expect((await fill(person, page, { ...other, confirmed })).status).toBe(422)
    expect(await spenderOf(accountId)).toMatchObject({ maxPerDayMicros: 5_000_000n, countries: ['LT', 'LV'] })
    // In whatever order they are typed.
    const last = await fill(person, page, { countries: 'EE LV LT', confirmed })
    expect(textOf(last.html)).toContain('Access is allowed')
    expect([...(await spenderOf(accountId)).countries].sort()).toEqual(['EE', 'LT', 'LV'])
  })

  it('may have all that it asks for, and nothing above', async () => {
    const { accountId, person } = await newPerson()
    const details = JSON.stringify([{ type: 'vertexsms_send', maxPerDay: '7', countries: ['LT'] }])
    const page = await person.open((await start(await register(stack), { authorization_details: details })).url)
    const other = { limit: 'other', countries: 'LT' }
    expect((await fill(person, page, { ...other, own_limit: '7.01' })).status).toBe(422)
    const allowed = await fill(person, page, { ...other, own_limit: '7' })
    expect([allowed.status, textOf(allowed.html).includes('Access is allowed')]).toEqual([200, true])
    expect(await spenderOf(accountId)).toMatchObject({ maxPerDayMicros: 7_000_000n, countries: ['LT'] })
  })

  it('that asks for no sender which it may use is told so, and its countries are called as they are', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    const asking = (sender: string) => ({
      authorization_details: JSON.stringify([{ type: 'vertexsms_send', countries: ['LT', 'LV'], senders: [sender] }]),
    })
    await connect(client, person, { params: asking('Shop') })
    const page = await person.open((await start(client, asking('Other'))).url)
    const countries = hiddenField(page.html, 'countries')
    expect(countries).toBe('LT, LV')
    const seen = await fill(person, page, { decision: 'look', countries: 'LT' })
    const [, folded = ''] = /<summary>(.*?)<\/summary>/s.exec(seen.html) ?? []
    expect([seen.status, textOf(folded)]).toEqual([200, expect.stringMatching(/\bLT\b(?!.*LV)/)])
    const answered = await fill(person, page, { countries })
    const { url } = await person.open(new URL(refreshTarget(answered.html) ?? '', page.url))
    expect(url.searchParams.get('error')).toBe('invalid_authorization_details')
    expect(await spenderOf(accountId)).toMatchObject({ senders: ['Shop'], countries: ['LT', 'LV'] })
  })

  it('is not given back what was taken from it while the page was open', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    await connect(client, person)
    const page = await person.open((await start(client)).url)
    const { id } = await spenderOf(accountId)
    await stack.db.spender.update({ where: { id }, data: { maxPerDayMicros: 1_000_000n, countries: ['LT'] } })
    const view = await fill(person, page, { limit: '5.00', own_limit: '', countries: '' })
    expect(view.status).toBe(422)
    const text = textOf(view.html)
    expect(text).toContain('1.00 EUR a day → becomes 5.00 EUR a day')
    expect(text).toContain('Countries: LT → becomes any country')
    expect(await spenderOf(accountId)).toMatchObject({ maxPerDayMicros: 1_000_000n, countries: ['LT'] })
  })
})

describe('an app known by a document', () => {
  it('offers to replace its only connection, whose counters go on', async () => {
    const { accountId, person } = await newPerson()
    const client = await published()
    await answer(person, await person.open((await start(client)).url))
    const [first] = await liveOf(accountId)
    await stack.db.spender.updateMany({ where: { accountId }, data: { maxPerDayMicros: 3_000_000n } })
    const page = await person.open((await start(client)).url)
    expect(textOf(page.html)).toContain('Published at app.example')
    expect(page.html).toContain(`name="replaces" value="${first?.id}" checked`)
    expect(page.html).toMatch(/value="3\.00" data-at="1" checked/)
    await fill(person, page, { replaces: first?.id ?? '', limit: '3.00' })
    const [second, ...others] = await liveOf(accountId)
    expect(others).toEqual([])
    expect(second?.id).not.toBe(first?.id)
    expect(second?.spenderId).toBe(first?.id)
    const ended = await stack.db.connection.findUniqueOrThrow({ where: { id: first?.id ?? '' } })
    expect(ended.endedReason).toBe('replaced')
    expect(await spenderOf(accountId)).toMatchObject({ endedAt: null, maxPerDayMicros: 3_000_000n })
  })

  it.each([
    ['by its name then, whatever it calls itself now', 'Helper', 'Helper'],
    ['by its host where it had none', '', 'app.example'],
  ])('names the connection that it would replace %s', async (_how, clientName, shown) => {
    const { accountId, person } = await newPerson()
    const client = await published()
    await answer(person, await person.open((await start(client)).url))
    await stack.db.connection.updateMany({ where: { accountId }, data: { clientName, redirectHost: 'x.example' } })
    expect(textOf((await person.open((await start(client)).url)).html)).toContain(
      `It replaces “ ${shown} ”, connected `,
    )
  })

  it('makes another connection where it is unticked, and then asks which one with none chosen', async () => {
    const { accountId, person } = await newPerson()
    const client = await published()
    for (let round = 0; round < 2; round += 1) await fill(person, await person.open((await start(client)).url), {})
    expect(await liveOf(accountId)).toHaveLength(2)
    const page = await person.open((await start(client)).url)
    expect(textOf(page.html)).toContain('This app is connected 2 times')
    expect(page.html).toMatch(/name="replaces" value="" checked/)
  })

  it("cannot replace what is not its own, whatever is posted: another app's, or another account's", async () => {
    const { accountId, person } = await newPerson()
    await connect(await register(stack), person)
    const [victim] = await liveOf(accountId)
    const client = await published()
    const stranger = await newPerson()
    await fill(stranger.person, await stranger.person.open((await start(client)).url), {})
    const [strange] = await liveOf(stranger.accountId)
    for (const replaces of [victim?.id ?? '', strange?.id ?? '', 'x', '__proto__']) {
      const answer = await fill(person, await person.open((await start(client)).url), { replaces })
      expect([answer.status, textOf(answer.html).includes('has changed')]).toEqual([422, true])
    }
    expect((await liveOf(accountId)).map(({ id }) => id)).toEqual([victim?.id])
    expect(await liveOf(stranger.accountId)).toHaveLength(1)
  })
})

it('says of an app that connects again what it has scheduled, which goes out only if it may still send', async () => {
  const { accountId, person } = await newPerson()
  const client = await register(stack)
  await connect(client, person)
  const open = async () => textOf((await person.open((await start(client)).url)).html)
  expect(await open()).not.toContain('Scheduled messages')
  const [connection] = await liveOf(accountId)
  const of = { accountId, spenderId: connection?.id ?? '' }
  await addMessage(stack, of, { state: 'scheduled' }, { connectionId: connection?.id })
  expect(await open()).toContain('Scheduled messages of it: 1. They go out only if it may still send SMS.')
})

describe('a page that told of a connection which is no more, or of another', () => {
  const RULES = { maxTotalMicros: 10_000_000n, senders: ['Shop'], askAboveMicros: 50_000n, askNewCountry: true }
  const PROMISE = 'at most 10.00 EUR in total'
  async function bounded(accountId: string) {
    const [connection] = await liveOf(accountId)
    const id = connection?.id ?? ''
    await stack.db.spender.update({ where: { id }, data: RULES })
    return id
  }
  const promises = (view: View) => textOf(view.html).includes(PROMISE)

  it('is shown again where it ended meanwhile, as an app may end it itself, and says what begins instead', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    await connect(client, person)
    const id = await bounded(accountId)
    const page = await person.open((await start(client)).url)
    expect(promises(page)).toBe(true)
    await endConnection(stack.db, id, 'revoked')
    const again = await fill(person, page, {})
    expect([again.status, promises(again)]).toEqual([422, false])
    expect(textOf(again.html)).toContain('What stood here about its connection has changed. Nothing was allowed yet.')
    expect(await liveOf(accountId)).toEqual([])
    expect((await fill(person, again, {})).status).toBe(200)
    expect(await liveOf(accountId)).toHaveLength(1)
  })

  it('is shown again where the app was connected anew meanwhile, since what was spent counts for that no more', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    await connect(client, person)
    const [first] = await liveOf(accountId)
    const page = await person.open((await start(client)).url)
    await endConnection(stack.db, first?.id ?? '', 'revoked')
    await connect(client, person)
    const [second] = await liveOf(accountId)
    const again = await fill(person, page, {})
    expect([again.status, hiddenField(again.html, 'limits_from')]).toEqual([422, second?.id])
    expect(second?.id).not.toBe(first?.id)
    expect((await fill(person, again, {})).status).toBe(200)
  })

  it('is taken as it is where what it names was never its own', async () => {
    const { accountId, person } = await newPerson()
    const stranger = await newPerson()
    await connect(await register(stack), stranger.person)
    const [strange] = await liveOf(stranger.accountId)
    const client = await published()
    for (const from of [strange?.id ?? '', randomUUID(), 'x']) {
      const page = await person.open((await start(client)).url)
      const html = page.html.replace(/(name="limits_from" value=")[^"]*/, `$1${from}`)
      expect((await fill(person, { ...page, html }, {})).status).toBe(200)
    }
    expect(await liveOf(accountId)).toHaveLength(3)
  })

  it('is shown again where it was replaced in another tab', async () => {
    const { accountId, person } = await newPerson()
    const client = await published()
    await fill(person, await person.open((await start(client)).url), {})
    const replaces = await bounded(accountId)
    const pages = [await person.open((await start(client)).url), await person.open((await start(client)).url)]
    const answers = []
    for (const page of pages) answers.push(await fill(person, page, { replaces }))
    expect(answers.map(({ status }) => status)).toEqual([200, 422])
    const [left, ...others] = await liveOf(accountId)
    expect(others).toEqual([])
    // What took its place is what is left to replace: the limits go on.
    expect(answers[1]?.html).toContain(`name="replaces" value="${left?.id}" checked`)
    expect(promises(answers[1] as View)).toBe(true)
    // What is told of each by mail is told of what bounds them both.
    const told = { where: { accountId, kind: 'new_connection' }, select: { spenderId: true } } as const
    expect(await stack.db.notice.findMany(told)).toEqual([{ spenderId: replaces }, { spenderId: replaces }])
  })

  it('is shown again where the person does not replace it after all, unless nothing but the form bound it', async () => {
    const { accountId, person } = await newPerson()
    const client = await published()
    await fill(person, await person.open((await start(client)).url), {})
    const open = async () => person.open((await start(client)).url)
    expect((await fill(person, await open(), {})).status).toBe(200)
    await stack.db.connection.deleteMany({ where: { accountId } })
    await fill(person, await open(), {})
    await bounded(accountId)
    const page = await open()
    expect(promises(page)).toBe(true)
    const again = await fill(person, page, {})
    expect([again.status, promises(again)]).toEqual([422, false])
    expect((await fill(person, again, {})).status).toBe(200)
    expect(await liveOf(accountId)).toHaveLength(2)
  })

  it.skipIf(!CAN_MEET)('is no matter of a second press, which is answered as the first one is', async () => {
    const { accountId, person } = await newPerson()
    const client = await published()
    await fill(person, await person.open((await start(client)).url), {})
    const replaces = await bounded(accountId)
    const page = await person.open((await start(client)).url)
    const press = () => fill(person, page, { replaces })
    const answers = await meet(stack.db, accountId, [press, press])
    expect(answers.map((one) => (one.status === 'fulfilled' ? one.value.status : one.reason))).toEqual([200, 200])
    expect(await liveOf(accountId)).toHaveLength(1)
    expect((await press()).status).toBe(200)
  })

  it('keeps every tick where whoever pressed for reading only is asked again, and widens nothing for it', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    await connect(client, person)
    const [connection] = await liveOf(accountId)
    const page = await person.open((await start(client)).url)
    await endConnection(stack.db, connection?.id ?? '', 'revoked')
    const again = await fill(person, page, { decision: 'reading' })
    const ticked = [...again.html.matchAll(/name="scope" value="([^"]*)" checked/g)].map(([, name]) => name)
    expect([again.status, ticked]).toEqual([422, [...SCOPE_NAMES]])
    await connect(client, person)
    const spends = () => stack.db.spender.findMany({ where: { accountId }, select: { maxPerDayMicros: true } })
    const before = await spends()
    const wider = { decision: 'reading', limit: 'other', own_limit: '800' }
    expect((await fill(person, await person.open((await start(client)).url), wider)).status).toBe(200)
    expect([await spends(), (await liveOf(accountId))[0]?.scopes]).toEqual([before, ['sms:rates', 'numbers:read']])
  })

  it('is shown again where its limits were changed elsewhere, or another connection took its place', async () => {
    const { accountId, person } = await newPerson()
    const client = await register(stack)
    await connect(client, person)
    const id = await bounded(accountId)
    const page = await person.open((await start(client)).url)
    await stack.db.spender.update({ where: { id }, data: { maxTotalMicros: null } })
    const again = await fill(person, page, {})
    expect([again.status, promises(again)]).toEqual([422, false])
    await endConnection(stack.db, id, 'revoked')
    await connect(client, person)
    expect((await fill(person, again, {})).status).toBe(422)
  })

  it('says of each that may be replaced that it is paused, asks its owner, what it loses and has scheduled', async () => {
    const { accountId, person } = await newPerson()
    const client = await published()
    await fill(person, await person.open((await start(client)).url), {})
    const id = await bounded(accountId)
    await stack.db.spender.update({ where: { id }, data: { pausedAt: new Date(), maxTotalMicros: null, senders: [] } })
    await addMessage(stack, { accountId, spenderId: id }, { state: 'scheduled' }, { connectionId: id })
    const page = await person.open((await start(client, { scope: 'hlr:lookup' })).url)
    const text = textOf(page.html)
    for (const words of [
      'Scheduled messages of it: 1. They are cancelled.',
      'It no longer asks to send SMS, read SMS rates, register and confirm Sender IDs, and read mobile network metadata',
      'It is paused, and so is the new one.',
      'asks you first above 0.05 EUR',
    ])
      expect(text).toContain(words)
    // Beside it another would be neither paused nor asking: that is said before it begins.
    const again = await fill(person, page, {})
    expect([again.status, textOf(again.html).includes('asks you first')]).toEqual([422, false])
    expect(await liveOf(accountId)).toHaveLength(1)
  })

  const MORE_OR_LESS = [
    ['asks its owner above less', { askAboveMicros: 50_000n }, { askAboveMicros: 50_001n }],
    ['asks its owner at all above something', { askAboveMicros: 50_000n }, {}],
    ['asks its owner about a new country', { askNewCountry: true }, {}],
    ['is paused', { pausedAt: new Date() }, {}],
    ['may send less at once', { maxPerSendMicros: 50_000n }, { maxPerSendMicros: 50_001n }],
  ] as const
  it.each([
    ...MORE_OR_LESS.map(([what, promised, other]) => [what, promised, other, 422] as const),
    ...MORE_OR_LESS.map(([what, other, promised]) => [`is not one that ${what}`, promised, other, 200] as const),
    ...MORE_OR_LESS.map(([what, promised]) => [`${what}, as the other`, promised, promised, 200] as const),
    ['differs in what the form sets alone', { maxPerDayMicros: 1_000_000n, countries: ['LT'] as string[] }, {}, 200],
  ] as const)('that %s is shown again where another is replaced that promises less', async (...given) => {
    const [, promised, other, status] = given
    const { accountId, person } = await newPerson()
    const client = await published()
    for (const _ of ['shown', 'replaced']) await fill(person, await person.open((await start(client)).url), {})
    const [shown = '', replaces = ''] = (await liveOf(accountId)).map(({ id }) => id)
    await stack.db.spender.update({ where: { id: shown }, data: promised })
    await stack.db.spender.update({ where: { id: replaces }, data: other })
    const page = await person.open((await start(client)).url)
    const looked = await fill(person, page, { decision: 'look', replaces: shown })
    expect(hiddenField(looked.html, 'limits_from')).toBe(shown)
    expect((await fill(person, looked, { limit: '1.00', countries: 'LT', replaces })).status).toBe(status)
    expect((await liveOf(accountId)).some(({ id }) => id === replaces)).toBe(status === 422)
  })

  it('has the amount that it asks to confirm chosen, and applies it', async () => {
    const { accountId, person } = await newPerson()
    const client = await published()
    for (const _ of ['one', 'another'])
      await fill(person, await person.open((await start(client)).url), { limit: '1.00', replaces: '' })
    const [first] = await liveOf(accountId)
    const page = await person.open((await start(client)).url)
    const checked = (html: string) => [...html.matchAll(/name="limit" value="([^"]*)"[^>]* checked/g)].map(([, v]) => v)
    for (const [limit, shown, after] of [
      ['5.00', '5.00 EUR a day', 5_000_000n],
      ['none', 'no limit', null],
    ] as const) {
      const replaces = (await liveOf(accountId)).find(({ id }) => id !== first?.id)?.id ?? ''
      const asked = await fill(person, limit === 'none' ? await person.open((await start(client)).url) : page, {
        limit,
        replaces,
      })
      expect([asked.status, textOf(asked.html).toLowerCase().includes(shown.toLowerCase())]).toEqual([422, true])
      expect(checked(asked.html)).toEqual([limit === 'none' ? 'none' : 'other'])
      const own_limit = hiddenField(asked.html, 'own_limit')
      const confirmed = hiddenField(asked.html, 'confirmed')
      const [chosen = ''] = checked(asked.html)
      expect((await fill(person, asked, { limit: chosen, own_limit, confirmed, replaces })).status).toBe(200)
      const now = (await liveOf(accountId)).find(({ id }) => id !== first?.id)
      const spender = await stack.db.spender.findUniqueOrThrow({ where: { id: now?.spenderId ?? now?.id ?? '' } })
      expect(spender.maxPerDayMicros).toBe(after)
    }
  })
})

describe('what it costs', () => {
  const rate = (CountryCode: string, Rate: string) => ({
    ...{ CountryName: CountryCode, CountryCode, Operator: 'Default', Network: 'Default', MCC: '246', MNC: null, Rate },
  })
  let api: InternalApiDouble
  let priced: Stack
  beforeAll(async () => {
    const key = randomBytes(32)
    api = await startInternalApi(key)
    const OPERATOR_KEY = key.toString('base64url')
    priced = await startStack({ settings: { API_INTERNAL_URL: api.url, OPERATOR_KEY } })
  })
  afterAll(async () => {
    await priced?.close()
    await api?.close()
  })
  afterEach(() => Object.assign(api, { answer: null, rates: [], balance: null, meanwhile: async () => {} }))

  async function consentOf(metadata: Record<string, unknown> = {}, scope: string | null = null) {
    const person = await priced.person((await priced.account()).id)
    const page = await person.open((await start(await register(priced, metadata), { scope })).url)
    return { person, page, text: textOf(page.html) }
  }

  it('is the range of the account’s prices, with its balance and what was spent today', async () => {
    Object.assign(api, { rates: [rate('LT', '0.0310'), rate('DE', '0.0875'), rate('LV', '0.029')], balance: '98.2' })
    const { text, page, person } = await consentOf()
    expect(text).toContain('A part of an SMS costs 0.029 EUR to 0.0875 EUR, by country and network.')
    expect(text).toContain('Your account has spent nothing today. Its balance is 98.20 EUR.')
    // In the countries that were chosen, once they are.
    const chosen = await fill(person, page, { decision: 'look', countries: 'LT' })
    expect(textOf(chosen.html)).toContain('A part of an SMS costs 0.031 EUR.')
  })

  it('tells what was spent today of the real account and of the sandbox apart, to the smallest amount', async () => {
    const { id } = await priced.account()
    await addSpender(priced, { accountId: id, spenderId: id })
    const open = async () => {
      const page = await (await priced.person(id)).open((await start(await register(priced))).url)
      return textOf(page.html)
    }
    await addCount(priced, { spenderId: id, daySpentMicros: 0n })
    expect(await open()).toContain('Your account has spent nothing today.')
    await priced.db.spenderCount.updateMany({ where: { spenderId: id }, data: { daySpentMicros: 1n } })
    expect(await open()).toContain('Your account has spent 0.000001 EUR in the sandbox today.')
    await addCount(priced, { spenderId: id, upstream: 'vertexsms', daySpentMicros: 1_500_000n })
    expect(await open()).toMatch(
      /Your account has spent (0\.000001 EUR in the sandbox and 1\.50 EUR|1\.50 EUR and 0\.000001 EUR in the sandbox) today\./,
    )
  })

  it('leaves out the countries that the account does not allow, and those that the app did not ask for', async () => {
    Object.assign(api, { rates: [rate('LT', '0.0310'), rate('DE', '0.0875'), rate('LV', '0.029')] })
    const { id } = await priced.account()
    const own = { countries: ['LT', 'LV'] }
    await priced.db.spender.create({ data: { id, accountId: id, kind: 'account', createdAt: new Date(), ...own } })
    const asking = (countries: string[]) => JSON.stringify([{ type: 'vertexsms_send', countries }])
    const open = async (params: Record<string, string>) => {
      const page = await (await priced.person(id)).open((await start(await register(priced), params)).url)
      return textOf(page.html)
    }
    expect(await open({})).toContain('A part of an SMS costs 0.029 EUR to 0.031 EUR, by country and network.')
    expect(await open({ authorization_details: asking(['DE', 'LT']) })).toContain('A part of an SMS costs 0.031 EUR.')
    const none = await open({ authorization_details: asking(['DE']) })
    expect(none).not.toMatch(/A part of an SMS|Prices unavailable/)
    expect(await open({ scope: 'hlr:lookup' })).not.toMatch(/A part of an SMS|Prices unavailable/)
  })

  it('is that of the countries that the app asked for, also while what was typed cannot be read', async () => {
    Object.assign(api, { rates: [rate('LT', '0.0310'), rate('DE', '0.0875')] })
    const person = await priced.person((await priced.account()).id)
    const authorization_details = JSON.stringify([{ type: 'vertexsms_send', countries: ['LT'] }])
    const page = await person.open((await start(await register(priced), { authorization_details })).url)
    const refused = await fill(person, page, { limit: 'other', own_limit: 'five' })
    expect(refused.status).toBe(422)
    expect(textOf(refused.html)).toContain('A part of an SMS costs 0.031 EUR.')
  })

  it('is bounded by what the account itself is held to, which is said', async () => {
    const { id } = await priced.account()
    const open = async () => {
      const page = await (await priced.person(id)).open((await start(await register(priced))).url)
      return textOf(page.html)
    }
    expect(await open()).not.toContain('limits of your account')
    const limits = { maxPerDayMicros: 2_500_000n, countries: ['LT', 'LV'], askAboveMicros: 1_000_000n }
    await priced.db.spender.create({ data: { id, accountId: id, kind: 'account', createdAt: new Date(), ...limits } })
    expect(await open()).toContain(
      'The limits of your account hold as well: at most 2.50 EUR a day; only to Lithuania and Latvia; asks you first above 1.00 EUR.',
    )
  })

  it('promises no country that the account does not allow', async () => {
    const { id } = await priced.account()
    const open = async () => {
      const page = await (await priced.person(id)).open((await start(await register(priced))).url)
      return textOf(page.html)
    }
    expect(await open()).toMatch(/, to any country *to the countries you name/)
    await addSpender(priced, { accountId: id, spenderId: id })
    expect(await open()).toMatch(/, to any country *to the countries you name/)
    await priced.db.spender.update({ where: { id }, data: { countries: ['LT'] } })
    expect(await open()).toMatch(/, to any country that your account allows *to the countries you name/)
  })

  it.each(['pausedAt', 'autoPausedAt'])(
    'says that nothing is sent while all of it is paused (%s), and no more once resumed',
    async (how) => {
      const { id } = await priced.account()
      const open = async () => {
        const page = await (await priced.person(id)).open((await start(await register(priced))).url)
        return textOf(page.html)
      }
      const told = 'Everything is paused: nothing is sent until you resume it'
      expect(await open()).not.toContain(told)
      const at = new Date()
      await priced.db.spender.create({ data: { id, accountId: id, kind: 'account', createdAt: at, [how]: at } })
      expect(await open()).toContain(told)
      const resumed = { pausedAt: null, resumedAt: new Date(at.getTime() + 1000) }
      await priced.db.spender.update({ where: { id }, data: resumed })
      expect(await open()).not.toContain(told)
    },
  )

  it('is what was spent today where no balance is told, and nothing is made up for a price that is none', async () => {
    Object.assign(api, { rates: [rate('LT', 'free'), rate('LV', '-1'), rate('EE', '1e-3')], balance: null })
    const { text } = await consentOf()
    expect(text).toContain('Prices unavailable just now. Your account has spent nothing today.')
    expect(text).not.toContain('balance')
  })

  it('is not asked about an app that only reads', async () => {
    Object.assign(api, { rates: [rate('LT', '0.0310')] })
    const { text } = await consentOf({}, 'sms:rates numbers:read')
    expect(text).not.toContain('A part of an SMS costs')
    expect(text).not.toContain('Prices unavailable')
    expect(text).not.toContain('balance')
  })

  it.each([
    ['refuses', { answer: { status: 500, body: 'no' } }],
    ['talks nonsense', { answer: { status: 200, body: '<html>' } }],
    ['answers something else', { answer: { status: 200, body: '{"rates":7,"balance":{}}' } }],
    ['never answers', { meanwhile: () => new Promise(() => {}) }],
  ])(
    'says that prices are unavailable where the API %s, and the app is connected all the same',
    async (_case, broken) => {
      Object.assign(api, broken)
      const { person, page, text } = await consentOf()
      expect(text).toContain('Prices unavailable just now.')
      const callback = await answer(person, page)
      expect(callback.url.searchParams.get('code')).not.toBeNull()
    },
  )
})
