import { chromiumOf } from '@vertexsms/service/chromium'

/** The Chromium that tests and programs drive; null where this machine has none. */
export function findChromium(): string | null {
  return chromiumOf(process.env)
}
