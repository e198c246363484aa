import { fromJsonSchema, type JsonSchemaType } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CLIENTS } from './support/clients.ts'
import { type Stack, startStack } from './support/stack.ts'

const WAIT_MS = 60

const ARGUMENTS: Record<string, Record<string, unknown>> = {
  send_sms: { to: '+37069555555', from: 'Shop', message: 'Hello' },
  get_sms_rates: { country: 'LT' },
  register_sender_id: { name: 'Shop', category: 'Brand', categoryDescription: 'A shop' },
  register_msisdn_sender: { msisdn: '+37069555555' },
  confirm_msisdn_sender: { senderId: 123, code: '12345' },
  lookup_hlr: { msisdn: '+37069555555' },
  get_operator: { operatorId: 7 },
  get_mcc_mnc_list: { country: 'LT' },
  get_mobile_prefixes: { country: 'LT' },
  correct_phone_number: { numbers: [{ number: '869555555', country: 'LT' }] },
}

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ env: { DELIVERY_WAIT_MS: String(WAIT_MS) } })
  stack.upstream.override = ({ method, path }) => {
    const id = /^\/hlr\/(\d+)\?/.exec(path)?.[1]
    if (method === 'GET' && id !== undefined) {
      stack.upstream.hlrResults.set(id, {
        id,
        error: '0',
        imsi: '246020000000001',
        country: 'LT',
        operatorId: 7,
        operator: 'BITE',
        mcc: '246',
        mnc: '02',
        ported: [{ operatorId: 8, operator: 'Tele2', country: 'LT' }],
      })
    }
    return undefined
  }
})
afterAll(() => stack.close())

describe.each(CLIENTS)('%s', (_name, revision, connect) => {
  it(`connects with revision ${revision}, lists ten tools and calls all ten with results that fit their schemas`, async () => {
    const client = await connect(stack.url, await stack.accessToken())
    expect(client.revision()).toBe(revision)
    const tools = await client.tools()
    expect(tools.map(({ name }) => name)).toEqual(Object.keys(ARGUMENTS))
    for (const { name, outputSchema } of tools) {
      const result = await client.call(name, ARGUMENTS[name] ?? {})
      expect(result.isError, name).toBeUndefined()
      const validated = await fromJsonSchema(outputSchema as JsonSchemaType)['~standard'].validate(
        result.structuredContent,
      )
      expect(validated, name).not.toHaveProperty('issues')
      expect(result.content).toEqual([{ type: 'text', text: expect.stringMatching(/./) }])
    }
    await client.close()
  })

  it('does the same with a token made by hand, and is told what is wrong with its arguments', async () => {
    const client = await connect(stack.url, stack.manualToken())
    const result = await client.call('get_operator', { operatorId: 'seven' })
    expect(result.isError).toBe(true)
    expect(JSON.stringify(result.content)).toContain('operatorId')
    await client.close()
  })

  it('hears of progress while delivery is waited for', async () => {
    const client = await connect(stack.url, stack.manualToken())
    const heard: number[] = []
    const args = { to: ['+37069555551', '+37069555552'], from: 'Shop', message: 'Hi', waitForDelivery: true }
    const result = await client.call('send_sms', args, (done) => heard.push(done))
    expect(result.structuredContent).toMatchObject({ status: 'sent', messages: [{ delivery: 'sent' }, {}] })
    expect(heard).toHaveLength(7)
    expect(heard.at(-1)).toBe(WAIT_MS / 1000)
    await client.close()
  })

  it('cannot connect with a token that was deleted', async () => {
    await expect(connect(stack.url, 'vsms_deletedxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')).rejects.toThrow()
  })
})

it('every client gets the same answer from the same call', async () => {
  const token = await stack.accessToken()
  const answers = await Promise.all(
    CLIENTS.map(async ([, , connect]) => {
      const client = await connect(stack.url, token)
      const { content, structuredContent } = await client.call('get_mobile_prefixes', { country: 'LT' })
      await client.close()
      return JSON.stringify({ content, structuredContent })
    }),
  )
  expect(new Set(answers).size).toBe(1)
})
