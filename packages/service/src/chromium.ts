// Development only: which Chromium the tests drive.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

// The shell first: the same engine without the browser around it, at a quarter of the processor time for each window.
const USUAL_PLACES = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The Chromium of this machine: the one that CHROMIUM_PATH names, else the first in a usual place; null where there is none. */
export function chromiumOf(env: Readonly<Record<string, string | undefined>>): string | null {
  if (env.CHROMIUM_PATH) return env.CHROMIUM_PATH
  const onWindows = join(env.PROGRAMFILES ?? 'C:\\Program Files', 'Google/Chrome/Application/chrome.exe')
  return [...USUAL_PLACES, onWindows].find((place) => existsSync(place)) ?? null
}
