import axe from 'axe-core'
import type { Page } from 'playwright-core'

/**
 * What axe finds wrong with the page that is open, as `rule: element`. It is asked for that alone: the places where all is
 * right are many, and telling of them took longer than looking.
 */
export async function violationsIn(page: Page): Promise<string[]> {
  // It stays with the document from one look to the next.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { run } = (window as unknown as { axe: { run: typeof axe.run } }).axe
    const { violations } = await run(document, { resultTypes: ['violations'], selectors: false, preload: false })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
  })
}
