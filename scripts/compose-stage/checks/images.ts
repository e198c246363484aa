import { COMPOSE, docker, inspect, output, run } from '../engine.ts'
import { check, expectThat, must } from '../report.ts'

const BASE = 'node:24-bookworm-slim'
const LIMIT_MB = 250

/** The compose file is valid for the schema and for the compose that is here. */
export async function checkFiles(): Promise<void> {
  await check('docker-compose.yml has no fault by dclint', async () => {
    await output(['node', 'node_modules/dclint/bin/dclint.cjs', '--quiet', 'docker-compose.yml'])
  })
  await check('docker-compose.yml is read by this compose', async () => {
    await output([...COMPOSE, 'config', '--quiet'])
    return output([...COMPOSE, 'version']).then((text) => text.split('\n')[0])
  })
}

/** Chooses BuildKit for all that follows; with `full`, builds every image by the older builder first. */
export async function checkImages({ full }: { full: boolean }): Promise<void> {
  // Old compose asks the environment which builder to use; new ones have BuildKit alone.
  const use = (kit: '0' | '1') => {
    process.env.DOCKER_BUILDKIT = kit
    process.env.COMPOSE_DOCKER_CLI_BUILD = kit
  }
  if (full) {
    use('0')
    await must('the images build with the older builder', async () => {
      await output([...COMPOSE, 'build'])
    })
  }
  use('1')
}

interface ImageFacts {
  Size: number
  Config: { User: string; Env: string[]; StopSignal: string; Healthcheck?: { Test: string[] } }
}

/** What each app's image is made of. */
export async function checkAppImage(app: string): Promise<void> {
  const { Image: image } = await inspect(app)
  const [facts] = JSON.parse(await docker('image', 'inspect', image)) as ImageFacts[]
  const [base] = JSON.parse(await docker('image', 'inspect', BASE)) as ImageFacts[]
  await check(`image ${app} is small, runs as node, has a health check and a stop signal`, async () => {
    expectThat(facts !== undefined && base !== undefined, 'no such image')
    const beyond = (facts.Size - base.Size) / 1e6
    expectThat(beyond < LIMIT_MB, `${beyond.toFixed(0)} MB beyond the base`)
    expectThat(facts.Config.User === 'node', `user ${facts.Config.User}`)
    expectThat(facts.Config.StopSignal === 'SIGTERM', `stop signal ${facts.Config.StopSignal}`)
    expectThat(facts.Config.Healthcheck?.Test.includes('health.js') === true, 'no health check')
    return `${beyond.toFixed(1)} MB beyond its base (${(facts.Size / 1e6).toFixed(0)} MB in all)`
  })
  await check(`image ${app} holds no build tools, no sources and no packages but its native ones`, async () => {
    const listed = await docker('run', '--rm', '--network', 'none', '--entrypoint', 'find', image, '/app', '-type', 'f')
    const files = listed.split('\n')
    const packages = new Set(files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []))
    expectThat(
      [...packages].every((name) => name.startsWith('@node-rs/')),
      `packages ${[...packages]}`,
    )
    const sources = files.filter((file) => /(?<!\.d)\.[mc]?ts$/.test(file))
    expectThat(sources.length === 0, `sources ${sources.slice(0, 3)}`)
    const { code } = await run([
      'docker',
      'run',
      '--rm',
      '--network',
      'none',
      '--entrypoint',
      'sh',
      image,
      '-c',
      'command -v pnpm esbuild tsc tsx',
    ])
    expectThat(code !== 0, 'a build tool is on the path')
    expectThat(files.includes('/app/THIRD-PARTY-NOTICES.txt'), 'the notices are missing')
    return `${files.length} files, packages: ${[...packages].join(', ') || 'none'}`
  })
}
