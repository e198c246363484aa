import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { NpxProgram } from '../support/npx-program.ts'
import { waitUntil } from '../support/wait-until.ts'

const COMMAND_MS = 240_000
const BROWSER_MS = 90_000
/** What programs call to show a page; here they only tell which. */
const OPENERS = ['xdg-open', 'open', 'gio', 'sensible-browser', 'x-www-browser', 'www-browser']

/** What a command printed, on both streams, and what it ended with. */
export interface Run {
  readonly status: number | null
  readonly output: string
}

/** The empty home of a person who has just installed one program. */
export interface Home {
  readonly folder: string
  /** The environment of everything that runs there. */
  readonly env: Readonly<Record<string, string>>
  /** Writes a file where a block says that it goes: `~/...`, or a path under the folder one stands in. */
  write(place: string, text: string): void
  /** Runs what a person types. Everything that it started is ended with it, at the latest after four minutes. */
  run(command: string, env?: Readonly<Record<string, string>>): Promise<Run>
  /** Starts what goes on until it is stopped. */
  serve(command: string, env?: Readonly<Record<string, string>>): { output(): string; stop(): Promise<void> }
  /** The next address of an authorization that a program opens, or prints for the person to open. */
  opened(): Promise<URL>
  remove(): void
}

/** Makes a home in which the commands of a package, and the Node that it needs, are found first. */
export function newHome(program: NpxProgram): Home {
  const folder = mkdtempSync(join(tmpdir(), 'vertexsms-client-'))
  const openers = join(folder, '.openers')
  const openedFile = join(openers, 'opened.txt')
  mkdirSync(openers)
  writeFileSync(openedFile, '')
  for (const name of OPENERS) {
    writeFileSync(join(openers, name), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${openedFile}'\n`)
    chmodSync(join(openers, name), 0o755)
  }
  const bin = dirname(program.script)
  // So that npx and imports find what was fetched, and nothing newer.
  symlinkSync(dirname(bin), join(folder, 'node_modules'))
  const env = {
    HOME: folder,
    PATH: [openers, bin, dirname(program.node), process.env.PATH ?? ''].join(delimiter),
    BROWSER: join(openers, 'xdg-open'),
    TERM: 'xterm',
    LANG: 'C.UTF-8',
  }
  const seen = new Set<string>()
  const printed: (() => string)[] = []

  function start(command: string, more: Readonly<Record<string, string>>) {
    const child = spawn('bash', ['-c', command], {
      cwd: folder,
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    const keep = (chunk: Buffer) => {
      output += chunk.toString()
    }
    for (const stream of [child.stdout, child.stderr]) stream.on('data', keep)
    printed.push(() => output)
    const end = () => endGroup(child.pid)
    process.once('exit', end)
    child.once('exit', () => process.removeListener('exit', end))
    return { child, output: () => output, end }
  }

  return {
    folder,
    env,
    write(place, text) {
      const path = join(folder, place.replace(/^~\//, ''))
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    },
    run(command, more = {}) {
      const { child, output, end } = start(command, more)
      const late = setTimeout(end, COMMAND_MS)
      return new Promise((resolve) => {
        child.once('exit', (status) => {
          clearTimeout(late)
          end()
          child.once('close', () => resolve({ status, output: output() }))
        })
      })
    },
    serve(command, more = {}) {
      const { child, output, end } = start(command, more)
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      return {
        output,
        async stop() {
          end()
          await ended
        },
      }
    },
    opened: () =>
      waitUntil('a program to ask for a browser', BROWSER_MS, () => {
        const told = [readFileSync(openedFile, 'utf8'), ...printed.map((output) => output())].join('\n')
        const asked = told.match(/https?:\/\/[\w.:/%-]+\/oauth\/authorize\?[\w.~%&=+-]+(?=\s)/g) ?? []
        const next = asked.find((url) => !seen.has(url))
        if (next === undefined) return undefined
        seen.add(next)
        return new URL(next)
      }),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing of the group is left.
  }
}
