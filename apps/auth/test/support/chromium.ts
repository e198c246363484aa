import { chromiumOf } from '@vertexsms/service/chromium'

/** The machine's Chromium; undefined where there is none. */
export const CHROMIUM: string | undefined = chromiumOf(process.env) ?? undefined

if (!CHROMIUM) process.stderr.write('skipped: the tests that need Chromium; install it or set CHROMIUM_PATH\n')
