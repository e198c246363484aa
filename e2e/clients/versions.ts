/** The programs of others that are tried, each in the version with which it was last seen to work; here alone. */
export const VERSIONS = {
  '@anthropic-ai/claude-code': '2.1.332',
  '@openai/codex': '0.171.0',
  'opencode-ai': '1.18.33',
  '@google/gemini-cli': '0.61.0',
  '@modelcontextprotocol/inspector': '2.12.0',
  'mcp-remote': '0.15.1',
  mcporter: '0.12.3',
  '@langchain/mcp-adapters': '1.1.4',
  '@langchain/core': '1.4.0',
  '@ai-sdk/mcp': '2.0.99',
} as const

/** A package of the table. */
export type PackageName = keyof typeof VERSIONS
