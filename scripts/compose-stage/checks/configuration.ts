import { type App, inspect, run } from '../engine.ts'
import { check, expectThat } from '../report.ts'

const WRONG: Record<App, { set: string[]; named: string[] }> = {
  auth: {
    set: ['AUTH_PORT=http', 'ISSUER_URL=ftp://x', 'TRUST_PROXY=maybe'],
    named: ['AUTH_PORT', 'ISSUER_URL', 'TRUST_PROXY', 'DATABASE_URL', 'OPERATOR_KEY'],
  },
  api: {
    set: ['API_PORT=-1', 'DATABASE_URL_FILE=/nowhere', 'API_KEYS=short', 'OPERATOR_KEY=short'],
    named: ['API_PORT', 'DATABASE_URL_FILE', 'API_KEYS', 'OPERATOR_KEY', 'EDGE_SECRET'],
  },
  mcp: {
    set: ['MCP_PORT=99999', 'API_URL=api', 'RATE_LIMITS=perhaps'],
    named: ['MCP_PORT', 'API_URL', 'RATE_LIMITS', 'EDGE_SECRET'],
  },
}

/** A wrong configuration is named in full, without its values, and ends the process. */
export async function checkConfigurationErrors(): Promise<void> {
  for (const app of Object.keys(WRONG) as App[]) {
    const { set, named } = WRONG[app]
    await check(`${app} names every fault of its configuration at once and ends`, async () => {
      const { Image: image } = await inspect(app)
      const settings = set.flatMap((assignment) => ['-e', assignment])
      const { code, stderr, stdout } = await run(['docker', 'run', '--rm', '--network', 'none', ...settings, image])
      expectThat(code === 1, `exit code ${code}`)
      const missing = named.filter((name) => !new RegExp(`^\\s+${name}: `, 'm').test(stderr))
      expectThat(missing.length === 0, `not named: ${missing}; said: ${stderr}`)
      expectThat(!/short|ftp:|perhaps|maybe/.test(stderr + stdout), `a value is shown: ${stderr}`)
      return named.join(', ')
    })
  }
}
