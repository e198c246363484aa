import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const LOCK_FILE = 'lock'
const TAKEOVER_FOLDER = 'lock.takeover'
/** A take-over lasts microseconds; one that looks older was killed in the middle. */
const TAKEOVER_STALE_MS = 10_000

/** Another live process owns the folder. */
export class FolderLockedError extends Error {
  override name = 'FolderLockedError'
  readonly code = 'FOLDER_LOCKED'
}

/**
 * Makes this process the only owner of a folder, until the returned function is called or the process ends in whatever
 * way: a lock whose process is gone is taken over. Throws FolderLockedError when its process lives.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, LOCK_FILE)
  const mine = identity(process.pid)
  if (!create(path, mine)) takeOver(folder, path, mine)
  return () => {
    if (read(path) === mine) rmSync(path, { force: true })
  }
}

function takeOver(folder: string, path: string, mine: string): void {
  const guard = join(folder, TAKEOVER_FOLDER)
  enter(guard, folder)
  try {
    const holder = read(path)
    if (holder !== null && isAlive(holder)) throw locked(folder, holder)
    rmSync(path, { force: true })
    if (!create(path, mine)) throw locked(folder, read(path) ?? '')
  } finally {
    rmdirSync(guard)
  }
}

/** Two processes that find the same dead lock must not both replace it: only one gets to make this folder. */
function enter(guard: string, folder: string): void {
  try {
    mkdirSync(guard)
    return
  } catch {
    const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age < TAKEOVER_STALE_MS) throw locked(folder, 'another start')
    rmdirSync(guard)
  }
  mkdirSync(guard)
}

function locked(folder: string, holder: string): FolderLockedError {
  const pid = holder.split(' ', 1)[0]
  return new FolderLockedError(`${folder} is in use by process ${pid}; stop it first, or choose another folder`)
}

function create(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** The process id and, where the system tells it, its start time: a reused id is not the same process. */
function identity(pid: number): string {
  return `${pid} ${startTime(pid)}`
}

function isAlive(holder: string): boolean {
  const pid = Number.parseInt(holder, 10)
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Not ours to signal, but there.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return identity(pid) === holder
}

function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command in brackets may hold spaces; field 22 is the 20th after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
