import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleForTests } from '@vertexsms/service/bundle'

const PROGRAM = 'apps/api/test/stand-in/program'

/** One message that it accepted. */
export interface AcceptedMessage {
  readonly to: string
  readonly body: Readonly<Record<string, unknown>>
}

/** What it tells of itself. */
export interface StandInFacts {
  readonly url: string
  readonly accepted: readonly AcceptedMessage[]
  readonly lookups: readonly AcceptedMessage[]
  readonly texts: readonly { readonly to: string; readonly message: string }[]
}

/** A running stand-in of the real REST API, which knows nothing of the product. */
export interface StandInProcess {
  readonly url: string
  look(): Promise<StandInFacts>
  /** What goes wrong with the next call to `route`. */
  fault(fault: { route: string; kind: string; [more: string]: unknown }): Promise<StandInFacts>
  behave(behaviour: Readonly<Record<string, unknown>>): Promise<StandInFacts>
  stop(): Promise<void>
}

/** Starts one that takes this token. */
export async function startStandInProcess(token: string): Promise<StandInProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'vertexsms-stand-in-'))
  await bundleForTests([`${PROGRAM}.ts`], folder)
  const child: ChildProcess = spawn(process.execPath, [join(folder, `${PROGRAM}.js`)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { PATH: process.env.PATH, STAND_IN_TOKEN: token },
  })
  const heard = async () => ((await once(child, 'message')) as [StandInFacts])[0]
  const ask = async (asked: object) => {
    const answer = heard()
    child.send(asked)
    return answer
  }
  const { url } = await heard()
  return {
    url,
    look: () => ask({ look: true }),
    fault: (fault) => ask({ fault }),
    behave: (behaviour) => ask({ behaviour }),
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
