import type { Words } from '../words/words.ts'

const BROWSERS = [
  ['Edge', /\bEdg(e|A|iOS)?\//],
  ['Opera', /\bOPR\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Chrome', /\b(HeadlessChrome|Chrome|CriOS|Chromium)\//],
  ['Safari', /\bSafari\//],
] as const

const SYSTEMS = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b|\bMacintosh\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
] as const

/** Real ones are shorter; whatever stands behind is not looked at. */
const MAX_CHARS = 300

/** What a person would call the browser that sends this `User-Agent`, such as "Firefox on Windows". */
export function browserName(header: string, { frame }: Words): string {
  const userAgent = header.slice(0, MAX_CHARS)
  const browser = BROWSERS.find(([, pattern]) => pattern.test(userAgent))?.[0]
  const system = SYSTEMS.find(([, pattern]) => pattern.test(userAgent))?.[0]
  if (browser && system) return frame.browserOn(browser, system)
  return browser ?? (system ? frame.someBrowserOn(system) : frame.unknownBrowser)
}
