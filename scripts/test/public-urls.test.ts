// What the demo takes from its environment for all three services.
import { afterEach, expect, it, vi } from 'vitest'
import { describeApps, publicUrls } from '../demo/apps.ts'
import { readSettings } from '../demo/settings.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const NAMES = ['ISSUER_URL', 'MCP_RESOURCE_URL', 'API_RESOURCE_URL', 'OUTBOUND_ALLOW_LOCALHOST'] as const
const settings = readSettings({ AUTH_PORT: '5000', MCP_PORT: '5001', API_PORT: '5002' })
const apps = () =>
  describeApps(settings, {
    databaseUrl: 'postgresql://h/d',
    operatorKey: 'k'.repeat(43),
    edgeSecret: '',
    internalPort: 1,
  })

it('an empty variable counts as unset: addresses follow the ports, and localhost may be called', () => {
  for (const name of NAMES) vi.stubEnv(name, '')
  expect(publicUrls(settings)).toEqual({
    issuer: 'http://localhost:5000',
    mcp: 'http://localhost:5001/mcp',
    api: 'http://localhost:5002',
  })
  expect(apps()[0]?.env.OUTBOUND_ALLOW_LOCALHOST).toBe('on')
})

it('one that is set counts', () => {
  vi.stubEnv('ISSUER_URL', 'https://auth.example')
  vi.stubEnv('OUTBOUND_ALLOW_LOCALHOST', 'off')
  expect(publicUrls(settings).issuer).toBe('https://auth.example')
  expect(apps()[0]?.env.OUTBOUND_ALLOW_LOCALHOST).toBe('off')
})
