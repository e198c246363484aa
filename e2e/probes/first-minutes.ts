import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Stack } from '../support/stack.ts'
import { expectRight, type Probe, type Topic } from './probe.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const SMS = { from: 'Shop', message: 'hi', to: '37061860698' }
const METADATA = ['resource', 'authorization_servers', 'bearer_methods_supported', 'scopes_supported']
const OLD_NODE = 'Object.defineProperty(process.versions, "node", { value: "18.20.8" })'

/** What somebody meets who starts the product for the first time. */
export const firstMinutes: Topic = {
  title: 'the first minutes',
  probes: [
    ...['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'].map(metadata),
    rest('Authorization: Bearer TOKEN', '401', (token) => ({ authorization: `Bearer ${token}` }), 200),
    rest(
      'Authorization: Bearer OTHER beside X-VertexSMS-Token: TOKEN',
      'Authorization was not read',
      (token) => ({ authorization: 'Bearer other', 'x-vertexsms-token': token }),
      400,
    ),
    {
      input: 'POST /sms twice: how far apart are the two ids',
      before: '1: they were counted up, so that two sends told how much everybody sends',
      async run(product) {
        const first = await send(product)
        const second = await send(product)
        const apart = second > first ? second - first : first - second
        expectRight(apart > 1_000_000n, String(apart))
        return String(apart)
      },
    },
    {
      input: 'the blocks for Claude Code that the demo prints, one after the other',
      before: 'both added `vertexsms`: the second was refused because the name is taken',
      async run({ logFile }) {
        const names = [...readFileSync(logFile, 'utf8').matchAll(/^claude mcp add .*?http (\S+)/gm)].map(
          ([, name]) => name,
        )
        expectRight(names.length === 2 && names[0] !== names[1], names.join(', '))
        return names.join(', ')
      },
    },
    {
      input: 'what stands on the screen after some requests, counted in lines from the password on',
      before: 'a line of JSON for each request, so that the password went off the screen',
      async run(product) {
        for (let count = 0; count < 30; count++) await fetch(`${product.apiUrl}/token`)
        const below = readFileSync(product.logFile, 'utf8').replace(/^.*\npassword:/s, '')
        const lines = below.trimEnd().split('\n')
        expectRight(lines.length < 10 && !lines.some((line) => line.startsWith('{')), `${lines.length}`)
        return `${lines.length}, none of JSON`
      },
    },
    {
      input: 'npx -y pnpm operator accounts, while the demo runs',
      before: "the operator's commands asked for a database URL that nobody was told",
      async run({ dataDir, email }) {
        const { stdout } = await node(['--import', 'tsx', 'scripts/operator.ts', 'accounts'], { DATA_DIR: dataDir })
        expectRight(stdout.includes(email), stdout)
        return stdout.trim().replace(/\s+/g, ' ')
      },
    },
    {
      input: 'the command on Node 18.20.8',
      before: 'a stack trace',
      async run() {
        const { stderr } = await node(['-e', `${OLD_NODE}; require('./scripts/check-node.cjs')`]).catch(
          (error: { stderr: string }) => error,
        )
        expectRight(/^VertexSMS Connect needs Node .*\n$/.test(stderr), stderr)
        return stderr.trim()
      },
    },
    {
      input: 'POST /request-access',
      before: '"We have your request and answer by e-mail", though no mail is sent',
      async run({ issuer }) {
        const person = { email: 'new@example.com', name: 'New', company: 'Shop', reason: 'Reminders' }
        const page = await postForm(issuer, '/request-access', person)
        const text = await page.text()
        expectRight(page.status === 200 && !/by e-?mail/i.test(text), text)
        return lead(text)
      },
    },
    {
      input: 'GET /settings/sessions',
      before: '"set a new password then", though no page does that',
      async run({ issuer, email, password }) {
        const cookie = cookiesOf(await postForm(issuer, '/sign-in', { email, password, return_to: '' }))
        const page = await fetch(`${issuer}/settings/sessions`, { headers: { cookie } })
        const text = await page.text()
        expectRight(page.status === 200 && /ask the operator for a link to set a new password/.test(text), text)
        return lead(text)
      },
    },
  ],
}

function metadata(path: string): Probe {
  return {
    input: `GET ${path}, the names of its members`,
    before: 'two members more',
    async run({ mcpUrl }) {
      const names = Object.keys(await (await fetch(new URL(path, mcpUrl))).json())
      expectRight(names.join() === METADATA.join(), names.join(', '))
      return names.join(', ')
    },
  }
}

function rest(input: string, before: string, headers: (token: string) => Record<string, string>, right: number): Probe {
  return {
    input: `GET /token at the REST API with ${input}`,
    before,
    async run({ apiUrl, token }) {
      const response = await fetch(`${apiUrl}/token`, { headers: headers(token) })
      const text = `${response.status} ${await response.text()}`
      expectRight(response.status === right, text)
      return text
    },
  }
}

async function send({ apiUrl, token }: Stack): Promise<bigint> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const response = await fetch(`${apiUrl}/sms`, { method: 'POST', headers, body: JSON.stringify(SMS) })
  const text = await response.text()
  expectRight(response.ok, `${response.status} ${text}`)
  return BigInt(JSON.parse(text)[0])
}

/** Sends a form as a browser does that has just opened its page. */
async function postForm(issuer: string, path: string, fields: Record<string, string>): Promise<Response> {
  const page = await fetch(`${issuer}${path}`)
  const csrf = /name="csrf" value="([^"]*)"/.exec(await page.text())?.[1] ?? ''
  const headers = { cookie: cookiesOf(page), origin: issuer }
  const body = new URLSearchParams({ ...fields, csrf })
  return fetch(`${issuer}${path}`, { method: 'POST', redirect: 'manual', headers, body })
}

function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
}

/** The sentence below a page's title. */
function lead(html: string): string {
  return /<p class="lead">([^<]*)</.exec(html)?.[1] ?? ''
}

function node(args: readonly string[], env: Record<string, string> = {}): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } })
}
