import { type ChildProcess, spawn } from 'node:child_process'
import type { LoadPlan, LoadReport } from './load.ts'
import { boundTo, putAhead, ROOT } from './process.ts'

/** A process that makes load, bound to a core. */
export class LoadProcess {
  readonly #child: ChildProcess

  constructor(core: number) {
    const [file = '', ...rest] = boundTo(core)
    const node = [process.execPath, '--max-semi-space-size=32', '--import', 'tsx', 'bench/harness/load.ts']
    this.#child = spawn(file, [...rest, ...node], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    })
    putAhead(this.#child.pid)
  }

  /** Runs one load at a time; throws when the process ends without a report. */
  apply(plan: LoadPlan): Promise<LoadReport> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`the load ended with ${code}`))
      this.#child.once('exit', ended)
      this.#child.once('message', (report) => {
        this.#child.off('exit', ended)
        resolve(report as LoadReport)
      })
      this.#child.send(plan)
    })
  }

  /** Ends the process. */
  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}
