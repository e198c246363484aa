import { spawn } from 'node:child_process'
import type { LoadPlan, LoadReport } from './load.ts'
import { ROOT } from './process.ts'

/** Runs one load in a process of its own, bound to `core`; throws when that process ends without a report. */
export function applyLoad(plan: LoadPlan, core: number): Promise<LoadReport> {
  const command = [process.execPath, '--max-semi-space-size=32', '--import', 'tsx', 'bench/harness/load.ts']
  const child = spawn('taskset', ['-c', String(core), ...command], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the load ended with ${code}`)))
    child.once('message', (report) => resolve(report as LoadReport))
    child.send(plan)
  })
}
