import { writeFileSync } from 'node:fs'
import type { BrowserContext } from 'playwright-core'
import type { Look } from './look.ts'

/** Pixels of a sheet for each of a page, and the longest part of a page that is shown. */
const SCALE = 0.3
const SHOWN_PIXELS = 3000
const GAP = 12
const QUALITY = 60

/** Puts the pictures of one page side by side into one WebP file: light above dark, the widths from left to right. */
export async function writeContactSheet(
  context: BrowserContext,
  path: string,
  pictures: ReadonlyMap<Look, Buffer>,
): Promise<void> {
  const cells = (['light', 'dark'] as const).map((scheme) =>
    [...pictures]
      .filter(([look]) => look.scheme === scheme)
      .map(([{ width }, picture]) => {
        const image = `<img src="data:image/png;base64,${picture.toString('base64')}" width="${width * SCALE}">`
        return `<div class="cell" style="width:${width * SCALE}px">${image}</div>`
      })
      .join(''),
  )
  const html = `<style>
    body { margin: 0; padding: ${GAP}px; background: #888; width: max-content; }
    .row { display: flex; gap: ${GAP}px; align-items: flex-start; margin-bottom: ${GAP}px; }
    .cell { max-height: ${SHOWN_PIXELS * SCALE}px; overflow: hidden; } img { display: block; }
  </style>${cells.map((row) => `<div class="row">${row}</div>`).join('')}`
  const page = await context.newPage()
  await page.setContent(html, { waitUntil: 'load' })
  // Of the rows, not of the window, which is wider than those of a small page.
  const size = await page.evaluate(() => {
    const { width, height } = document.body.getBoundingClientRect()
    return { width: Math.ceil(width), height: Math.ceil(height) }
  })
  await page.setViewportSize(size)
  const session = await context.newCDPSession(page)
  // Playwright itself takes no WebP, which is a third of the size.
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
  writeFileSync(path, Buffer.from(data, 'base64'))
  await page.close()
}
