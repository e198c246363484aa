import { LIVE } from '@vertexsms/contract/discovery'
import { ERRORS } from '@vertexsms/contract/errors'
import { TOOL_NAMES } from '@vertexsms/contract/scopes'
import { expect, it } from 'vitest'
import { documents, outdated } from '../gen-docs.ts'

it('the generated pages are up to date (npx -y pnpm gen)', () => {
  expect(outdated()).toEqual([])
})

it('the generated pages name every code and every tool', () => {
  for (const code of Object.keys(ERRORS)) expect(documents().get('docs/errors.md')).toContain(`\`${code}\``)
  for (const tool of TOOL_NAMES) expect(documents().get('docs/tools.md')).toContain(`## ${tool}`)
})

it('the page of the tools says that no scope contains another (MCP 2026-07-28, authorization)', () => {
  expect(documents().get('docs/tools.md')).toContain('Scopes have no hierarchy')
})

it('the page of the REST API leads nobody to the live service with a token of another installation', () => {
  expect(documents().get('docs/rest.md')).toContain('http://localhost:4002')
  expect(documents().get('docs/rest.md')).not.toContain(LIVE.api)
})
