import { rememberSecret } from '../../../e2e/support/secrets.ts'
import { APPS, containerOf, docker, inspect, run } from '../engine.ts'
import { check, expectThat } from '../report.ts'
import { checkAppImage } from './images.ts'

const SECRETS = [
  '/secrets/operator/key',
  '/secrets/api/keys',
  '/secrets/edge/secret',
  '/secrets/database/password',
  '/secrets/database-migrate/url',
  '/secrets/database-auth/url',
  '/secrets/database-api/url',
]
/** Which secrets each container has a use for. */
const MAY_READ: Record<string, string[]> = {
  auth: ['/secrets/operator/key', '/secrets/database-auth/url'],
  api: ['/secrets/api/keys', '/secrets/edge/secret', '/secrets/database-api/url'],
  mcp: ['/secrets/edge/secret'],
  postgres: ['/secrets/database/password'],
}

/** How the containers are confined, and what they hold. */
export async function checkContainers(): Promise<void> {
  for (const app of APPS) await checkAppImage(app)
  for (const service of ['postgres', ...APPS]) {
    await check(
      `container ${service} is confined: not root, read-only, no capabilities, no new privileges`,
      async () => {
        const { Config, HostConfig } = await inspect(service)
        expectThat(/^(node|postgres)$/.test(Config.User), `user ${Config.User}`)
        expectThat(HostConfig.ReadonlyRootfs && !HostConfig.Privileged, 'the root file system can be written')
        expectThat(HostConfig.CapDrop?.includes('ALL') === true, 'capabilities are kept')
        const status = await exec(service, 'cat', '/proc/1/status')
        expectThat(/^CapEff:\t0+$/m.test(status), 'process 1 has capabilities')
        expectThat(/^NoNewPrivs:\t1$/m.test(status), 'process 1 may gain privileges')
        expectThat(!/^Uid:\t0\t/m.test(status), 'process 1 is root')
        const write = await run(['docker', 'exec', await containerOf(service), 'sh', '-c', 'echo x > /usr/local/x'])
        expectThat(write.code !== 0, 'a file could be written')
        return `uid ${/^Uid:\t(\d+)/m.exec(status)?.[1]}`
      },
    )
  }
  await check('ports are published on the loopback address alone, and the database not at all', async () => {
    for (const service of ['postgres', ...APPS]) {
      const bindings = Object.values((await inspect(service)).HostConfig.PortBindings ?? {}).flat()
      expectThat(bindings.length === (service === 'postgres' ? 0 : 1), `${service}: ${bindings.length} ports`)
      expectThat(
        bindings.every(({ HostIp }) => HostIp === '127.0.0.1'),
        `${service}: ${JSON.stringify(bindings)}`,
      )
    }
  })
  await check('each container reads its own secrets and no others', async () => {
    for (const [service, allowed] of Object.entries(MAY_READ)) {
      const each = `for file in ${SECRETS.join(' ')}; do cat "$file" >/dev/null 2>&1 && echo "$file"; done; true`
      const read = (await exec(service, 'sh', '-c', each)).split('\n')
      for (const file of SECRETS) {
        expectThat(read.includes(file) === allowed.includes(file), `${service} and ${file}: read are ${read}`)
      }
    }
  })
  await check('no secret stands in an image, an environment or a command line', async () => {
    const values = await Promise.all(
      SECRETS.map((file) => {
        const [reader = ''] = Object.entries(MAY_READ).find(([, files]) => files.includes(file)) ?? []
        return reader && exec(reader, 'cat', file)
      }),
    ).then((read) => read.filter(Boolean))
    expectThat(values.length === 6, `${values.length} secrets were read`)
    for (const value of values) {
      expectThat(value.length >= 43, 'a secret is short')
      rememberSecret('installation secret', value)
    }
    const images = new Set<string>()
    for (const service of ['postgres', ...APPS, 'init', 'roles', 'migrate', 'seed', 'welcome']) {
      const told = await inspect(service)
      expectThat(!values.some((value) => JSON.stringify(told).includes(value)), `${service} tells a secret`)
      images.add(told.Image)
    }
    expectThat(images.size === 4, `${images.size} images`)
    for (const image of images) {
      const history = await docker('history', '--no-trunc', image)
      expectThat(!values.some((value) => history.includes(value)), `an image tells a secret`)
    }
  })
  await check('each service is a database user of its own, and none of them owns the cluster', async () => {
    const sql =
      "SELECT string_agg(DISTINCT usename || ' ' || usesuper, ', ') FROM pg_stat_activity JOIN pg_user USING (usename) WHERE client_addr IS NOT NULL"
    const users = (await exec('postgres', 'psql', '-U', 'vertexsms', '-d', 'vertexsms', '-Atc', sql)).trim()
    expectThat(users === 'vertexsms_api_login false, vertexsms_auth_login false', users)
    return users
  })
  await check('the MCP server cannot reach the database', async () => {
    const probe =
      "require('node:net').connect(5432,'postgres').on('connect',()=>process.exit(0)).on('error',()=>process.exit(9))"
    const ask = async (service: string) =>
      (await run(['docker', 'exec', await containerOf(service), 'node', '-e', probe])).code
    expectThat((await ask('api')) === 0, 'the API cannot either')
    expectThat((await ask('mcp')) === 9, 'it can')
  })
}

async function exec(service: string, ...command: string[]): Promise<string> {
  return docker('exec', await containerOf(service), ...command)
}
