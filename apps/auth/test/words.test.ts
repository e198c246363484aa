// The catalogue of words as a whole: both languages, every sentence, every number.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { clientGuides } from '@vertexsms/contract/connect'
import { SCOPE_NAMES, type Scope } from '@vertexsms/contract/scopes'
import { preferredLanguage } from '@vertexsms/service/accepts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readTypedHlrPrice } from '../src/accounts/upstream-account.ts'
import { readTypedEur, twoWaysProblem } from '../src/connections/typed-eur.ts'
import { renderPage } from '../src/web/page.ts'
import { LANGUAGES, type Language, one, room, type Sentences, vienas } from '../src/words/room.ts'
import { ROOMS, WORDS } from '../src/words/words.ts'
import { makeAccount } from './support/people.ts'
import { hiddenField } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const SOURCES = fileURLToPath(new URL('../src', import.meta.url))

/** Every sentence of a language by its path. */
function sentencesOf(language: Language): Map<string, Sentences[string]> {
  const found = new Map<string, Sentences[string]>()
  const walk = (path: string, words: Sentences) => {
    for (const [name, sentence] of Object.entries(words)) {
      const at = `${path}.${name}`
      if (typeof sentence === 'object') walk(at, sentence)
      else found.set(at, sentence)
    }
  }
  for (const [name, words] of Object.entries(ROOMS)) walk(name, words[language] as unknown as Sentences)
  return found
}

const ENGLISH = sentencesOf('en')
const LITHUANIAN = sentencesOf('lt')

/** What a sentence says of values that are told apart: texts, and a count where it wants one. */
function said(sentence: Sentences[string] | undefined): string {
  if (typeof sentence !== 'function') return String(sentence)
  const make = sentence as (...values: unknown[]) => string
  const texts = Array.from({ length: sentence.length }, (_, at) => `<${at}>`)
  return make(...texts)
}

describe('the catalogue of words', () => {
  it('has the same sentences in every language, each made of the same values', () => {
    expect([...LITHUANIAN.keys()].sort()).toEqual([...ENGLISH.keys()].sort())
    for (const [path, english] of ENGLISH) {
      const lithuanian = LITHUANIAN.get(path)
      expect([path, typeof lithuanian]).toEqual([path, typeof english])
      const values = (text: string) => [...new Set(text.match(/<\d>/g))].sort()
      expect([path, values(said(lithuanian))]).toEqual([path, values(said(english))])
    }
  })

  it('does not compile where a language lacks a sentence, has one more, or is given other values', () => {
    const en = { title: 'Title', made: (name: string) => name }
    // @ts-expect-error: a sentence is missing.
    room({ en, lt: { title: 'Antraštė' } })
    // @ts-expect-error: English has no such sentence.
    room({ en, lt: { title: 'Antraštė', made: (name) => name, more: 'Daugiau' } })
    // @ts-expect-error: it is made of a text, not of a count.
    room({ en, lt: { title: 'Antraštė', made: (count: number) => String(count) } })
    // @ts-expect-error: it is made of nothing.
    room({ en, lt: { title: () => 'Antraštė', made: (name) => name } })
    expect(room({ en, lt: { title: 'Antraštė', made: (name) => name } }).lt.made('x')).toBe('x')
  })

  it('has no sentence that is empty, left in English, or written without Lithuanian letters where a word needs them', () => {
    for (const [path, lithuanian] of LITHUANIAN) {
      expect(said(lithuanian).trim(), path).not.toBe('')
      expect(said(ENGLISH.get(path)).trim(), path).not.toBe('')
      const words = said(lithuanian).split(/\s+/)
      if (words.length > 4) expect(said(lithuanian), path).not.toBe(said(ENGLISH.get(path)))
    }
    const letters = new Set([...LITHUANIAN.values()].map(said).join('').toLowerCase())
    for (const letter of 'ąčęėįšųūž') expect(letters).toContain(letter)
  })

  it('calls what a token or an app may do by one name: a scope, its sentence, and a route that is most of it', () => {
    const routes = { 'sms:send': 'POST /sms', 'sms:rates': 'GET /rates', 'hlr:lookup': 'POST /hlr' } as const
    for (const language of LANGUAGES) {
      const { scopes, routes: words } = WORDS[language]
      for (const scope of SCOPE_NAMES) expect(scopes.may[scope].startsWith(scopes.named[scope]), scope).toBe(true)
      for (const [scope, route] of Object.entries(routes))
        expect(words.route[route], `${language} ${route}`).toBe(scopes.named[scope as Scope])
    }
  })

  it('spells email as the field of the sign-in page does', () => {
    const sentences = [...ENGLISH].map(([path, sentence]) => [path, said(sentence)] as const)
    expect(sentences.filter(([, text]) => /e-mail/i.test(text))).toEqual([])
    expect(sentences.filter(([, text]) => /\bemail\b/i.test(text)).length).toBeGreaterThan(5)
  })

  it('holds every sentence that a page asks for, and none that nothing asks for', () => {
    const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
      (path) => /\.(ts|eta)$/.test(path) && !path.startsWith('words/'),
    )
    const text = files.map((path) => readFileSync(`${SOURCES}/${path}`, 'utf8')).join('\n')
    const groups = new Set(
      [...ENGLISH.keys()].flatMap((path) => path.split('.').map((_, at, all) => all.slice(0, at).join('.'))),
    )
    for (const [, room = '', name = ''] of text.matchAll(/\bt\.(\w+)\.(\w+)/g)) {
      if (!(room in ROOMS)) continue
      expect(ENGLISH.has(`${room}.${name}`) || groups.has(`${room}.${name}`), `t.${room}.${name}`).toBe(true)
    }
    for (const path of ENGLISH.keys()) {
      const [room, ...names] = path.split('.')
      const isAsked =
        new RegExp(`\\b${room}\\b`).test(text) && names.some((name) => new RegExp(`\\b${name}\\b`).test(text))
      expect(isAsked, path).toBe(true)
    }
  })

  it('is written out as markup with marked values alone: nothing that somebody else wrote is in it as it came', () => {
    const views = readdirSync(`${SOURCES}/views`, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.eta'),
    )
    for (const view of views) {
      const text = readFileSync(`${SOURCES}/views/${view}`, 'utf8')
      for (const [out, way = ''] of text.matchAll(/<%~([\s\S]*?)%>/g)) {
        if (!/^\s*[tw]\./.test(way)) continue
        const [, values = ''] = /^\s*[\w.]+\((.*)\)\s*$/s.exec(way) ?? [way, 'nothing marked']
        const marked = /^(mark\.\w+\(([^()]|\([^()]*\))*\)(,\s*)?)+$/.test(values)
        expect([view, out, marked]).toEqual([view, out, true])
      }
    }
    for (const sentences of [ENGLISH, LITHUANIAN]) {
      for (const [path, sentence] of sentences) expect(said(sentence).replace(/<\d>/g, ''), path).not.toMatch(/[<>&]/)
    }
    const attack = '<img src=x onerror=alert(1)>"\''
    for (const language of LANGUAGES) {
      const page = {
        url: '/x',
        who: {
          kind: 'web',
          title: attack,
          within: attack,
          place: attack,
          number: '',
          name: attack,
          passesFor: null,
          href: null,
        },
        isWarned: false,
        answer: 'denied',
        accountEmail: attack,
      } as const
      expect(renderPage('continue', page, { language, address: attack })).not.toMatch(/<img src=x|="[^"]*<img/)
    }
  })

  it('says what to do in every client that there is a guide for', () => {
    const ids = clientGuides('https://mcp.example/mcp', '').map(({ id }) => id)
    for (const language of LANGUAGES) expect(Object.keys(WORDS[language].connect.notes).sort()).toEqual([...ids].sort())
  })

  it('names many as many where their number is not written beside them, 21 as well', () => {
    const { approvals, limits } = WORDS.lt
    expect([1, 2, 10, 21].map((count) => approvals.recipients(count))).toEqual([
      'Gavėjas',
      'Gavėjai',
      'Gavėjai',
      'Gavėjai',
    ])
    expect([1, 2, 10, 21].map((count) => approvals.countries(count))).toEqual(['Šalis', 'Šalys', 'Šalys', 'Šalys'])
    expect(limits.onlyWith(1, 'A')).toBe('Tik siuntėjo vardu: A')
    expect(limits.onlyWith(21, 'A')).toBe('Tik siuntėjų vardu: A')
  })

  it('counts in Lithuanian with its three forms, in English with two', () => {
    const messages = (n: number) => vienas(n, 'žinutė', 'žinutės', 'žinučių')
    expect([0, 1, 2, 9, 10, 11, 12, 19, 20, 21, 22, 30, 101, 111].map(messages)).toEqual([
      'žinučių',
      'žinutė',
      'žinutės',
      'žinutės',
      'žinučių',
      'žinučių',
      'žinučių',
      'žinučių',
      'žinučių',
      'žinutė',
      'žinutės',
      'žinučių',
      'žinutė',
      'žinučių',
    ])
    expect([0, 1, 2, 21].map((n) => one(n, 'message', 'messages'))).toEqual([
      'messages',
      'message',
      'messages',
      'messages',
    ])
  })
})

describe('amounts and times', () => {
  const now = new Date('2026-01-10T12:00:00Z')
  const at = (iso: string) => ({ moment: new Date(iso), now })

  it('read as people write them in each language, exact to the last digit', () => {
    const amounts = [39_000n, 5_000_000n, -1_000_000n, 123_456_789_012_345_678n]
    const spaced = (text: string) => text.replaceAll('\u00a0', ' ').replaceAll('\u2060', '')
    expect(amounts.map(WORDS.en.format.eur).map(spaced)).toEqual([
      '0.039 EUR',
      '5.00 EUR',
      '\u22121.00 EUR',
      '123,456,789,012.345678 EUR',
    ])
    expect(amounts.map(WORDS.lt.format.eur).map(spaced)).toEqual([
      '0,039 EUR',
      '5,00 EUR',
      '−1,00 EUR',
      '123 456 789 012,345678 EUR',
    ])
    expect(spaced(WORDS.lt.format.full(at('2026-11-26T23:05:00Z')))).toBe('2026 m. lapkričio 26 d. 23:05 UTC')
    expect(spaced(WORDS.en.format.full(at('2026-11-26T23:05:00Z')))).toBe('26 November 2026 at 23:05 UTC')
    expect(spaced(WORDS.lt.format.exact(at('2026-11-26T23:05:00Z')))).toBe('2026-11-26 23:05 UTC')
    expect(spaced(WORDS.en.format.exact(at('2026-11-26T23:05:00Z')))).toBe('26 Nov 2026, 23:05 UTC')
    expect(WORDS.lt.format.short(at('2026-01-12T12:00:00Z'))).toBe('poryt')
    expect(WORDS.lt.format.short(at('2026-01-10T11:55:00Z'))).toBe('prieš 5 minutes')
    expect(WORDS.lt.format.wait(21)).toBe('21 sekundę')
    expect(WORDS.lt.format.wait(600)).toBe('10 minučių')
    expect(WORDS.lt.format.country('DE')).toBe('Vokietija')
    expect(WORDS.lt.format.list(['a', 'b', 'c'])).toBe('a, b ir c')
  })

  it.each(LANGUAGES)('are broken nowhere but between a date and its time, in %s', (language) => {
    const { eur, eurs, full, near, date, short } = WORDS[language].format
    const far = at('2026-11-26T23:05:00Z')
    const whole = [eur(2_500_000n), eurs([39_000n])(1_000_000n), near(far), date('2026-11-26'), short(far)]
    expect(whole.filter((text) => text.includes(' '))).toEqual([])
    expect(full(far).split(' ')).toHaveLength(2)
    expect(full(far).split(' ')[1]).toMatch(/^(at\u00a0)?23:05\u00a0UTC$/)
  })

  it('stand in a field with the decimal mark of the language, and are read with either', () => {
    expect([WORDS.en, WORDS.lt].map(({ format }) => format.typed(1_234_500_000n))).toEqual(['1234.50', '1234,50'])
    for (const typed of ['1234.5', '1234,5', ' 1234,50 EUR ', '1234,500']) {
      expect(readTypedEur(typed)).toBe(1_234_500_000n)
    }
    for (const typed of [',5', '5,', '5,,0', '-5,0']) expect(readTypedEur(typed)).toBeNull()
    expect(readTypedHlrPrice('0,0035')).toEqual({ micros: 3_500n })
    expect(readTypedHlrPrice('100,01')).toEqual({ problem: 'price' })
  })

  it.each(LANGUAGES)('are read in a field as pages print them, in %s', (language) => {
    const { eur } = WORDS[language].format
    for (const micros of [0n, 39_000n, 5_000_000n, 1_000_500_000n, 1_234_567_000n, 999_999_999_123_456n]) {
      expect(readTypedEur(eur(micros))).toBe(micros)
    }
  })

  it('are read with their thousands set apart, where that can be read one way alone', () => {
    const thousand = ['1,000.50', '1.000,50', '1 000,5', '1 000.50 EUR', '1\u00a0000,500', '1\u202f000,50', "1'000.50"]
    for (const typed of thousand) expect(readTypedEur(typed)).toBe(1_000_500_000n)
    for (const typed of ['1,000,000', '1.000.000', '1 000 000', '1 000 000,00']) {
      expect(readTypedEur(typed)).toBe(1_000_000_000_000n)
    }
    // Set apart otherwise than by threes, by two marks, or behind the cents: whoever typed it meant something else.
    const odd = ['1,00.50', '1000,000.50', '1,000.50,00', '1,000 000', '1,000.000,5', ',000.50', '1,000.', '1  000,50']
    for (const typed of [...odd, '1 000 00', '0 000 001', '1,000.0000001']) expect(readTypedEur(typed)).toBeNull()
  })

  it('are refused where they can be read two ways, in a sentence that says how to type either', () => {
    for (const typed of ['1,500', '1.500', ' 1,500 EUR', '001,500']) {
      expect(readTypedEur(typed)).toBeNull()
      expect(twoWaysProblem(typed, WORDS.en)).toMatch(
        /^“(00)?1[.,]500” can be read as 1\.50 or as 1500\.00\. Enter one of these\.$/,
      )
    }
    expect(twoWaysProblem('1,500', WORDS.lt)).toContain('1,50 arba 1500,00')
    for (const typed of ['five', '1.50', '1,234,567']) expect(twoWaysProblem(typed, WORDS.en)).toBeNull()
    expect(readTypedHlrPrice('1,500')).toEqual({ problem: 'price' })
    for (const typed of ['0,500', '0.500']) expect(readTypedEur(typed)).toBe(500_000n)
  })

  it('that stand in a field are read from it as they are, whatever their decimals', () => {
    for (const micros of [39_000n, 500_000n, 1_234_000n, 999_999_000n, 1_500_001_000n, 1_234_500n, 1_000_000n]) {
      for (const { format } of [WORDS.en, WORDS.lt]) expect(readTypedEur(format.typed(micros))).toBe(micros)
    }
  })
})

describe('the language of a page', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack()
  })
  afterAll(() => stack.close())

  const ask = (headers: Record<string, string>, path = '/sign-in') =>
    fetch(`${stack.issuer}${path}`, { headers, redirect: 'manual' })

  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['*', 'en'],
    ['de, fr;q=0.5', 'en'],
    ['lt', 'lt'],
    ['lt-LT,lt;q=0.9,en;q=0.8', 'lt'],
    ['en-GB, lt;q=0.9', 'en'],
    ['de, lt;q=0.2', 'lt'],
    ['lt;q=0', 'en'],
    [`${'x,'.repeat(2000)}lt`, 'lt'],
  ])('is, for Accept-Language %s, %s (RFC 9110 §12.5.4)', async (header, language) => {
    const headers = header === undefined ? {} : { 'accept-language': header }
    expect(preferredLanguage(headers, LANGUAGES)).toBe(language)
    const answer = await ask(headers)
    const html = await answer.text()
    expect(html).toContain(`<html lang="${language}">`)
    expect(html).toContain(language === 'lt' ? '<h1>Prisijungimas</h1>' : '<h1>Sign in</h1>')
    expect(answer.headers.get('content-language')).toBe(language)
    expect(answer.headers.get('vary')).toMatch(/Accept-Language, Cookie/)
  })

  it('is said of pages that the protocol answers with, too, and never of its JSON', async () => {
    const page = await ask({ 'accept-language': 'lt' }, '/oauth/authorize?client_id=nobody')
    expect(page.status).toBe(400)
    expect(page.headers.get('content-language')).toBe('lt')
    expect(await page.text()).toMatch(/<html lang="lt">[\s\S]*programa nežinoma/)
    const json = await fetch(`${stack.issuer}/oauth/token`, { method: 'POST', headers: { 'accept-language': 'lt' } })
    expect(json.headers.get('content-language')).toBeNull()
    expect(JSON.stringify(await json.json())).not.toMatch(/[ąčęėįšųūž]/)
  })

  it('is kept when it was chosen by the link at the foot, which comes back to the same page and changes nothing else', async () => {
    const { id } = await makeAccount(stack)
    const person = await stack.person(id)
    const link = (html: string) => (/href="(\/language\?[^"]*)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&')
    const first = await person.get('/settings/sessions?x=1')
    const chosen = await person.get(link(first.html))
    expect([chosen.status, chosen.headers.get('location')]).toEqual([303, '/settings/sessions?x=1'])
    expect(chosen.headers.getSetCookie()).toHaveLength(1)
    expect(chosen.headers.getSetCookie()[0]).toMatch(/^vertexsms_language=lt; .*HttpOnly; SameSite=Lax/)
    const lithuanian = await person.get('/settings/sessions')
    expect(lithuanian.html).toContain('<html lang="lt">')
    await person.get(link(lithuanian.html))
    expect((await person.get('/settings/sessions')).html).toContain('<html lang="en">')
    // A page that a refused form is answered with leads back to the page of the form.
    const csrf = hiddenField((await person.get('/settings/vertexsms-account')).html, 'csrf')
    const fields = [
      ['csrf', csrf],
      ['hlr_price', 'x'],
    ] as const
    const refused = await person.post('/settings/vertexsms-account/price', fields)
    expect(refused.status).toBe(422)
    expect((await person.get(link(refused.html))).headers.get('location')).toBe('/settings/vertexsms-account')
  })

  it('writes times out for whoever asks for it by the link at the foot, without a pointer or a script', async () => {
    const { id } = await makeAccount(stack)
    const person = await stack.person(id)
    const timesOf = (html: string) => [...html.matchAll(/<time[^>]*>([^<]*)</g)].map(([, text]) => text)
    const first = await person.get('/settings/sessions')
    expect(timesOf(first.html)).toEqual(['just now'])
    const link = /href="(\/times\?[^"]*)"/.exec(first.html)?.[1]?.replaceAll('&amp;', '&') ?? ''
    expect((await person.get(link)).headers.get('location')).toBe('/settings/sessions')
    const exact = await person.get('/settings/sessions')
    expect(timesOf(exact.html)[0]).toMatch(/^\d+ \w+ \d{4}, \d{2}:\d{2} UTC$/)
    await person.get(/href="(\/times\?[^"]*)"/.exec(exact.html)?.[1]?.replaceAll('&amp;', '&') ?? '')
    expect(timesOf((await person.get('/settings/sessions')).html)).toEqual(['just now'])
  })

  it.each([
    '//evil.example',
    '/\\evil.example',
    '/%5cevil.example/..//evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    'https://evil.example/',
    'javascript:alert(1)',
    '/\t/evil.example',
    '/a\r\nset-cookie: x=y',
    'evil.example',
    '',
    `/${'x'.repeat(5000)}`,
  ])('never leads away from here: %j (RFC 9700 §4.11.1)', async (back) => {
    const { status, headers } = await ask({}, `/language?${new URLSearchParams({ to: 'lt', back })}`)
    expect(status).toBe(303)
    const location = headers.get('location') ?? ''
    expect(new URL(location, stack.issuer).origin).toBe(stack.issuer)
    expect(location).toMatch(/^\/(?!\/)/)
    expect(location).not.toMatch(/[\\\s]/)
  })

  it('stays as it is for a language that there is none of', async () => {
    const { headers } = await ask({}, '/language?to=xx&back=/sign-in')
    expect([headers.get('location'), headers.getSetCookie()]).toEqual(['/sign-in', []])
    const html = await (await ask({ cookie: 'vertexsms_language=xx', 'accept-language': 'lt' })).text()
    expect(html).toContain('<html lang="lt">')
  })
})
