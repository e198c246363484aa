import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AppName } from '../support/stack.ts'
import { waitUntil } from '../support/wait-until.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const START_MS = 60_000

function spawnApp(app: AppName, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/server.ts'], {
    cwd: join(ROOT, 'apps', app),
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (data) => {
    errors += data
  })
  return { child, errors: () => errors }
}

/** Starts an app that should refuse to: its exit code and what it said; killed where it starts after all. */
export async function refusalOf(app: AppName, env: Readonly<Record<string, string>>) {
  const { child, errors } = spawnApp(app, env)
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  return { code: code as number | null, said: errors().trim() }
}

/** Starts an app beside the product and resolves when it listens, with what ends it. */
export async function startApp(app: AppName, port: number, env: Readonly<Record<string, string>>) {
  const { child, errors } = spawnApp(app, { ...env, [`${app.toUpperCase()}_PORT`]: String(port) })
  const end = async () => {
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
  }
  await waitUntil(`${app} to listen`, START_MS, async () => {
    if (child.exitCode !== null) throw new Error(errors())
    return (await fetch(`http://localhost:${port}/healthz`).catch(() => undefined))?.ok || undefined
  })
  return end
}
