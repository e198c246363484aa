import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { API_KEY_PURPOSES } from '@vertexsms/secrets/derived-keys'
import type { AppName } from '../support/stack.ts'
import { refusalOf } from './child.ts'
import { expectRight, type Probe, type Topic } from './probe.ts'

const KEY = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7)).toString('base64url')
const DATABASE = { DATABASE_URL: 'postgresql://h/d' }
const SOUND: Readonly<Record<AppName, Record<string, string>>> = {
  auth: { ...DATABASE, OPERATOR_KEY: KEY },
  api: { ...DATABASE, EDGE_SECRET: `${KEY}-edge`, API_KEYS: apiKeys(KEY) },
  mcp: { EDGE_SECRET: `${KEY}-edge` },
}

function refused(app: AppName, name: string, value: string, before: string): Probe {
  return {
    input: `${app} with ${name}=${JSON.stringify(value)}`,
    before,
    async run() {
      const { code, said } = await refusalOf(app, { ...SOUND[app], [name]: value })
      const line = said.split('\n').find((text) => text.trim().startsWith(`${name}:`))
      expectRight(code === 1 && line !== undefined && !/^\s+at /m.test(said), `exit ${code}: ${said.slice(0, 300)}`)
      return `exit 1: ${line.trim()}`
    },
  }
}

/** What whoever runs the product sets, and what is refused of it. */
export const operating: Topic = {
  title: 'settings, keys and images',
  probes: [
    ...['10', '0x10', ' on ', '\u0661', '-1', '0.0.0.0/0', '99999999999999999999'].map((value) =>
      refused('auth', 'TRUST_PROXY', value, 'taken, or read as another thing than was meant'),
    ),
    refused(
      'auth',
      'REFRESH_OVERLAP_SECONDS',
      '315360000',
      'taken: a refresh token that was used worked for ten years',
    ),
    refused('auth', 'SESSION_SECONDS', '1e9', 'taken or refused with a stack'),
    refused('auth', 'OPERATOR_KEY', 'A'.repeat(43), 'a key of zeros was taken'),
    refused('auth', 'ISSUER_URL', 'https://tool.example/path', 'taken: the metadata was then looked for elsewhere'),
    refused('api', 'API_KEYS', apiKeys('A'.repeat(43)), 'a key of zeros was taken'),
    refused('api', 'OPERATOR_KEY', KEY, 'the API held the key that seals everything'),
    refused('api', 'SANDBOX_POLL_MS', '\u0661\u0660', 'taken or refused with a stack'),
    refused('mcp', 'EDGE_SECRET', 'ab'.repeat(20), 'a secret of two characters was taken'),
    refused('mcp', 'ALLOWED_HOSTS', 'https://mcp.example', 'taken, and then matched nothing'),
    {
      input: 'a release image from node:24-bookworm-slim, and from one that is pinned by its digest',
      before: 'built from whatever the tag meant that day',
      async run() {
        const file = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')
        const script = /^RUN (case .*?esac)$/ms.exec(file)?.[1]?.replaceAll('\\\n', '\n') ?? 'exit 9'
        const builds = (image: string) => {
          try {
            execFileSync('sh', ['-c', script], { env: { RELEASE: '1', NODE_IMAGE: image }, stdio: 'ignore' })
            return true
          } catch {
            return false
          }
        }
        const seen = [builds('node:24-bookworm-slim'), builds(`node@sha256:${'0'.repeat(64)}`)]
        expectRight(!seen[0] && seen[1] === true, `builds: ${seen}`)
        return 'refused; built'
      },
    },
  ],
}

function apiKeys(key: string): string {
  return API_KEY_PURPOSES.map((purpose) => `${purpose}=${key}`).join(',')
}
