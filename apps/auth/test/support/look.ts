import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'
import { LANGUAGES, type Language } from '../../src/words/room.ts'
import { violationsIn } from './axe.ts'
import { writeContactSheet } from './contact-sheet.ts'

// How a page is judged: its words, its widths and the place in its navigation in each language, and by axe light on a phone
// and dark on a desktop. `pnpm test:looks` takes of that what tells the pages apart: of the widths the ends, in the longer words,
// and axe once a page, the pages in turn. With TEST_FULL it is all; with SCREENSHOTS (a folder) all of it is kept as
// pictures, English in every width and scheme; with SHEETS (another) those of a page become one.

const FOLDER = process.env.SCREENSHOTS
const ALL = Boolean(FOLDER || process.env.TEST_FULL)
const SHEETS = process.env.SHEETS

/** What a picture was taken of. */
export interface Look {
  readonly width: number
  readonly scheme: 'light' | 'dark'
}

/** A phone, a tablet, a desktop; 640 and 320 are a desktop at 200 % and at 400 % (WCAG 1.4.4, 1.4.10). */
const WIDTHS = [360, 768, 1440]
const FITS = ALL ? [320, 640, ...WIDTHS] : [320, 768]
const LOOKS: readonly Look[] = WIDTHS.flatMap((width) =>
  (['light', 'dark'] as const).map((scheme) => ({ width, scheme })),
)
/** The longer words where there is the least room, and the other scheme where there is the most. */
const BY_TURNS: readonly (readonly [Language, Look])[] = [
  ['en', { width: 1440, scheme: 'dark' }],
  ['lt', { width: 360, scheme: 'light' }],
]
const BESIDES: typeof BY_TURNS = [
  ['en', { width: 360, scheme: 'light' }],
  ['lt', { width: 1440, scheme: 'dark' }],
]
/** What axe judges of the page of this number. */
const judged = (page: number) => (ALL ? [...BY_TURNS, ...BESIDES] : BY_TURNS.filter((_, at) => page % 2 === at))

/** Words of every other English sentence, and of no Lithuanian one. */
const ENGLISH = /\b(the|your|you|this|which|with|and|from|when|what|never|until|today|nothing|it)\b/gi
/** What is the same in every language: what somebody wrote, and what is for programs. */
const SAME = 'code, pre, bdi, .name, .bubble, .number, .who-email, [lang], script, style, strong, option'

/**
 * Judges the page that is open, and leaves it as it was, in English. What is wrong with one ends no walk: all is told.
 * One that is shown once would be another when it is opened again: it is judged in the language in which it stands.
 */
export function createLook(of: {
  readonly context: BrowserContext
  readonly page: Page
  readonly issuer: string
  /** What failed behind the page so far. */
  readonly faults: readonly string[]
}): (name: string, how?: { readonly isShownOnce: boolean }) => Promise<void> {
  const { context, page, issuer, faults } = of
  for (const folder of [FOLDER, SHEETS]) if (folder) mkdirSync(folder, { recursive: true })

  const speak = async (language: Language) => {
    await context.addCookies([{ name: 'vertexsms_language', value: language, url: issuer }])
    await page.reload()
  }

  const writeTimes = async (as: 'short' | 'exact') => {
    await context.addCookies([{ name: 'vertexsms_times', value: as, url: issuer }])
    await page.reload()
  }

  /** Each look of a page in a file, and all of them in a sheet. */
  const keepPictures = async (name: string, folder: string) => {
    const pictures = new Map<Look, Buffer>()
    for (const look of LOOKS) {
      await show(page, look)
      // As high as the page: what sticks to the edge of a window would stand in the middle of its picture.
      const height = await page.evaluate(() => document.documentElement.scrollHeight)
      await page.setViewportSize({ width: look.width, height: Math.max(900, height) })
      const picture = await page.screenshot({ fullPage: true })
      pictures.set(look, picture)
      writeFileSync(join(folder, `${name}-${look.width}-${look.scheme}.png`), picture)
    }
    if (SHEETS) await writeContactSheet(context, join(SHEETS, `${name}.webp`), pictures)
  }

  let pages = 0
  return async (name, { isShownOnce } = { isShownOnce: false }) => {
    const stands = await page.locator('html').getAttribute('lang')
    const looks = isShownOnce ? BY_TURNS.concat(BESIDES) : judged(pages++)
    for (const language of isShownOnce ? LANGUAGES.filter((one) => one === stands) : LANGUAGES) {
      if (language !== 'en' && !isShownOnce) await speak(language)
      expect.soft([name, await page.locator('html').getAttribute('lang')]).toEqual([name, language])
      if (ALL || language !== 'en' || isShownOnce) {
        await fits(page, `${name} ${language}`)
        if (!isShownOnce && (await page.locator('main time').count()) > 0) {
          await writeTimes('exact')
          await fits(page, `${name} ${language}, times written out`)
          await writeTimes('short')
        }
      }
      if (ALL || language === 'en') await tellsCurrent(page, name)
      if (language !== 'en') expect.soft([name, await englishIn(page)]).toEqual([name, []])
      // What is wrong with a field describes it, and is no part of its name.
      expect.soft([name, await page.locator('label .problem, label [role="alert"]').count()]).toEqual([name, 0])
      for (const look of looks.flatMap(([of, one]) => (of === language ? [one] : []))) {
        await show(page, look)
        if (FOLDER && language !== 'en') {
          const path = join(FOLDER, `${name}-${look.width}-${look.scheme}-${language}.png`)
          await page.screenshot({ path, fullPage: true })
        }
        const found = await violationsIn(page)
        expect.soft([name, language, look, found]).toEqual([name, language, look, []])
      }
      if (FOLDER && language === 'en') await keepPictures(name, FOLDER)
    }
    if (!isShownOnce) await speak('en')
    expect.soft([name, faults]).toEqual([name, []])
  }
}

async function show(page: Page, { width, scheme }: Look): Promise<void> {
  await page.setViewportSize({ width, height: 900 })
  await page.emulateMedia({ colorScheme: scheme })
}

/** No sideways scrolling, and everything in a table has the room that it needs. */
async function fits(page: Page, name: string): Promise<void> {
  for (const width of FITS) {
    await page.setViewportSize({ width, height: 900 })
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    expect.soft([name, width, Math.max(wider, 0)]).toEqual([name, width, 0])
    // Whose pages these are is told whole.
    const cut = await page
      .locator('.who-email')
      .evaluateAll((all) => all.map((one) => one.scrollWidth > one.clientWidth))
    expect.soft([name, width, cut.includes(true)]).toEqual([name, width, false])
    expect.soft([name, width, await crowdedIn(page)]).toEqual([name, width, []])
  }
}

/** No word is longer: what is goes on in the next line wherever it may. */
const WORD_CHARS = 20

/** What reaches out of its cell of a table, and words that are parted within. */
async function crowdedIn(page: Page): Promise<string[]> {
  return page.evaluate((longest) => {
    const found: string[] = []
    for (const cell of document.querySelectorAll('table:not(.hidden) :is(th, td)')) {
      const { left, right } = cell.getBoundingClientRect()
      const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT)
      for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        if (text.parentElement?.closest('.hidden, caption')) continue
        const range = document.createRange()
        for (const { 0: word, index } of (text.textContent ?? '').matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
          range.setStart(text, index)
          range.setEnd(text, index + word.length)
          const boxes = [...range.getClientRects()].filter(({ width }) => width > 0)
          if (boxes.some((box) => box.left < left - 1 || box.right > right + 1)) found.push(`outside: ${word}`)
          const isParted = new Set(boxes.map(({ top }) => Math.round(top))).size > 1
          if (isParted && word.length <= longest) found.push(`parted: ${word}`)
        }
      }
    }
    return found
  }, WORD_CHARS)
}

/** Where colours are forced, the place in each navigation can still be told from the others. */
async function tellsCurrent(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ forcedColors: 'active' })
  const alike = await page.evaluate(() => {
    const face = (element: Element) => {
      // No background: it is told as it was set, transparent or not, and drawn alike.
      const { borderColor, borderWidth, textDecorationLine, outlineStyle } = getComputedStyle(element)
      return [borderColor, borderWidth, textDecorationLine, outlineStyle].join(' ')
    }
    return [...document.querySelectorAll('nav')].flatMap((nav) => {
      const current = nav.querySelector('[aria-current]')
      const others = [...nav.querySelectorAll('a:not([aria-current])')]
      return current && others.some((other) => face(other) === face(current)) ? [nav.textContent] : []
    })
  })
  await page.emulateMedia({ forcedColors: 'none' })
  expect.soft([name, alike]).toEqual([name, []])
}

/** Words that were left in English. */
async function englishIn(page: Page): Promise<string[]> {
  const text = await page.evaluate((same) => {
    const body = document.body.cloneNode(true) as HTMLElement
    for (const element of body.querySelectorAll(same)) element.remove()
    return body.textContent ?? ''
  }, SAME)
  return [...text.matchAll(ENGLISH)].map(({ index }) =>
    text.slice(Math.max(0, index - 40), index + 40).replace(/\s+/g, ' '),
  )
}
