import { chmodSync, closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs'

/** A log larger than this is put aside at the next start, and the one put aside before it is gone. */
const KEEP_BYTES = 20_000_000
const LOOK_EVERY_MS = 250
const CHUNK_BYTES = 65_536

/** Where the services write their lines, so that they do not push the welcome off the screen. */
export interface LogFile {
  /** For the services to append to; it stays open when the launcher is killed. */
  readonly descriptor: number
  close(): void
}

/**
 * Opens the services' log for its owner alone, and says each warning and error that is written to it from now on in
 * plain words: whose it is and its sentence, nothing else of the line. With `verbose` each answered request too.
 */
export function openLog(
  file: string,
  say: (text: string) => void,
  { verbose = false }: { readonly verbose?: boolean } = {},
): LogFile {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > KEEP_BYTES) renameSync(file, `${file}.1`)
  const descriptor = openSync(file, 'a+', 0o600)
  chmodSync(file, 0o600)
  let offset = fstatSync(descriptor).size
  let rest = ''
  const chunk = Buffer.alloc(CHUNK_BYTES)

  function look(): void {
    for (;;) {
      const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, offset)
      if (length === 0) return
      offset += length
      // Our log lines are ASCII; a character of more bytes that is cut here is only ever shown wrongly.
      const lines = (rest + chunk.toString('utf8', 0, length)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const told = troubleOf(line) ?? (verbose ? requestOf(line) : undefined)
        if (told !== undefined) say(told)
      }
    }
  }

  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  return {
    descriptor,
    close() {
      clearInterval(timer)
      look()
      closeSync(descriptor)
    },
  }
}

/** The sentence of a warning or an error; undefined for every other line. */
export function troubleOf(line: string): string | undefined {
  if (!/^\{"level":"(warn|error|fatal)"/.test(line)) return undefined
  try {
    const { level, service, msg } = JSON.parse(line) as Record<string, unknown>
    return `${level === 'warn' ? 'warning' : 'error'} of ${service}: ${msg}`
  } catch {
    return undefined
  }
}

/** One answered request: whose, method, route, status and time; undefined for every other line. */
export function requestOf(line: string): string | undefined {
  if (!line.startsWith('{"level":"info"')) return undefined
  try {
    const { service, msg, method, route, status, durationMs } = JSON.parse(line) as Record<string, unknown>
    return msg === 'request' ? `${service}: ${method} ${route} ${status} in ${durationMs} ms` : undefined
  } catch {
    return undefined
  }
}
