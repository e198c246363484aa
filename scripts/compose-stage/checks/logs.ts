import { rememberedSecrets } from '../../../e2e/support/secrets.ts'
import { APPS, logsOf } from '../engine.ts'
import { check, expectThat } from '../report.ts'

/** Nothing secret or personal that passed through this run stands in any log but the welcome. */
export async function checkLogs(): Promise<void> {
  await check('no log but the welcome holds a token, password, key, phone number, text or address', async () => {
    const secrets = rememberedSecrets().filter(({ value }) => value.length >= 6)
    const kinds = new Set(secrets.map(({ kind }) => kind))
    expectThat(secrets.length > 20 && kinds.size > 4, `only ${secrets.length} values to look for`)
    let lines = 0
    for (const service of [...APPS, 'postgres', 'init', 'roles', 'migrate', 'seed']) {
      const log = await logsOf(service)
      lines += log.split('\n').length
      const found = secrets.find(({ value }) => log.includes(value))
      expectThat(found === undefined, `${service} logs a ${found?.kind}`)
    }
    return `${secrets.length} values in ${lines} lines`
  })
}
