import { modernRequest } from '../support/clients/raw.ts'
import type { Stack } from '../support/stack.ts'
import { expectRight, type Topic } from './probe.ts'

const QUICK_MS = 500

/** What anybody can do without a token. */
export const strangers: Topic = {
  title: 'anybody, without a token',
  probes: [
    {
      input: 'POST /mcp, tools/call send_sms with 32 000 spaces in `scheduled`, a made-up token',
      before: 'three seconds in which nobody else was answered',
      run: (product) =>
        stall(product, { to: '+37061860698', from: 'Shop', message: 'hi', scheduled: ' '.repeat(32_000) }),
    },
    {
      input: 'POST /mcp, tools/call send_sms with 30 000 combining marks in `to`, a made-up token',
      before: 'two seconds in which nobody else was answered',
      run: (product) => stall(product, { to: `+370${'́'.repeat(30_000)}`, from: 'Shop', message: 'hi' }),
    },
    {
      input: 'POST /oauth/token with client_id=a%00b',
      before: '503 "try again with the same request", for ever',
      async run({ issuer }) {
        const response = await fetch(`${issuer}/oauth/token`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: 'grant_type=refresh_token&refresh_token=x&client_id=a%00b',
        })
        const text = await response.text()
        expectRight([400, 401].includes(response.status), `${response.status} ${text}`)
        return `${response.status} ${text}`
      },
    },
  ],
}

/** Puts in a tool call and asks meanwhile whether the server lives. */
async function stall({ mcpUrl, ports }: Stack, args: Record<string, unknown>): Promise<string> {
  const { headers, body } = modernRequest('tools/call', { name: 'send_sms', arguments: args })
  const call = fetch(mcpUrl, { method: 'POST', headers: { ...headers, authorization: 'Bearer made-up' }, body })
  const began = performance.now()
  const alive = await fetch(`http://localhost:${ports.mcp}/healthz`)
  const aliveMs = Math.round(performance.now() - began)
  const response = await call
  const seen = `${response.status}, /healthz meanwhile ${alive.status} in ${aliveMs} ms`
  expectRight(response.status === 401 && alive.status === 200 && aliveMs < QUICK_MS, seen)
  return seen
}
