// What the stage checks, in order. Started by ./run, inside the engine's network.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keepSecretsIn } from '../../e2e/support/secrets.ts'
import { checkConfigurationErrors } from './checks/configuration.ts'
import { checkConnecting } from './checks/connecting.ts'
import { checkContainers } from './checks/containers.ts'
import { checkFiles, checkImages } from './checks/images.ts'
import { checkInstallation } from './checks/installation.ts'
import { checkLoad } from './checks/load.ts'
import { checkLogs } from './checks/logs.ts'
import { checkRestarts } from './checks/restarts.ts'
import { checkStopping } from './checks/stopping.ts'
import { APPS, logsOf, waitFor } from './engine.ts'
import { broken, handOver, StageAborted } from './report.ts'

const full = process.argv.includes('--full')
/** With STAGE_QUIET_FILE, what is held to a pace begins once that file is there: until then neighbours are at work. */
const QUIET_FILE = process.env.STAGE_QUIET_FILE
const NEIGHBOURS_MS = 1_800_000
const folder = mkdtempSync(join(tmpdir(), 'compose-stage-'))
keepSecretsIn(join(folder, 'secrets.jsonl'))

try {
  await checkFiles()
  await checkImages({ full })
  const facts = await checkInstallation()
  await checkContainers()
  await checkConfigurationErrors()
  const connection = await checkConnecting(facts)
  await checkRestarts(facts, connection)
  if (QUIET_FILE !== undefined)
    await waitFor('the neighbours to end', NEIGHBOURS_MS, async () => existsSync(QUIET_FILE))
  await checkStopping(facts)
  // The wait may have been longer than an access token lives.
  await connection.renew()
  const accessToken = connection.accessToken()
  await checkLoad(facts, full ? { accessToken, seconds: 60, rate: 200 } : { accessToken, seconds: 24, rate: 100 })
  await connection.close()
  await checkLogs()
} catch (error) {
  if (!(error instanceof StageAborted)) broken(error)
  for (const service of [...APPS, 'postgres', 'roles', 'migrate', 'seed']) {
    const logs = await logsOf(service).catch((reason: Error) => reason.message)
    console.log(`--- ${service}\n${logs.split('\n').slice(-15).join('\n')}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (process.env.STAND_IN) {
  console.log('note: stand-in base images copy the users, paths, entry points and stop signals of the official ones;')
  console.log('note: unproven here: the official images themselves (their exact builds, locales, other architectures).')
}
handOver()
process.exit()
