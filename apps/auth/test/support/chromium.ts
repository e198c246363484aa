import { existsSync } from 'node:fs'

const USUAL_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The machine's Chromium: CHROMIUM_PATH, else the usual places; undefined where there is none. */
export const CHROMIUM: string | undefined =
  process.env.CHROMIUM_PATH || USUAL_PLACES.find((place) => existsSync(place)) || undefined

if (!CHROMIUM) process.stderr.write('skipped: the tests that need Chromium; install it or set CHROMIUM_PATH\n')
