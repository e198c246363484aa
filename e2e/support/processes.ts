import { execFileSync } from 'node:child_process'

/** One live process, as `ps` reports it. */
export interface RunningProcess {
  readonly pid: number
  readonly parentPid: number
  readonly command: string
}

/** Every live process of this machine; processes that have ended and only wait to be reaped are left out. */
export function runningProcesses(): RunningProcess[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n')
  return lines.flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line)
    if (match === null || match[3]?.startsWith('Z')) return []
    return [{ pid: Number(match[1]), parentPid: Number(match[2]), command: match[4] ?? '' }]
  })
}

/** The processes below `pid`, nearest first. */
export function descendantsOf(pid: number): RunningProcess[] {
  const all = runningProcesses()
  const found: RunningProcess[] = []
  const parents = [pid]
  for (let parent = parents.shift(); parent !== undefined; parent = parents.shift()) {
    for (const child of all.filter((candidate) => candidate.parentPid === parent)) {
      found.push(child)
      parents.push(child.pid)
    }
  }
  return found
}

/** True while the process exists and has not ended. */
export function isRunning(pid: number): boolean {
  return runningProcesses().some((candidate) => candidate.pid === pid)
}
