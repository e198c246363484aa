/**
 * The schemes of AI clients that do not follow RFC 8252 §7.1. Every other scheme without a dot may belong to a browser,
 * the system or an installer, which act on what strangers send there (`ms-appinstaller`, `search-ms`, `ms-word` ...).
 */
const CLIENT_SCHEMES: ReadonlySet<string> = new Set([
  'antigravity',
  'claude',
  'code-oss',
  'cursor',
  'goose',
  'kiro',
  'lmstudio',
  'raycast',
  'trae',
  'vscode',
  'vscode-insiders',
  'vscodium',
  'warp',
  'windsurf',
  'windsurf-next',
  'zed',
])

/** The host at which a client publishes its metadata document, whose URL its id is; null for one that registered. */
export function documentHostOf(clientId: string): string | null {
  return /^https?:/.test(clientId) ? new URL(clientId).host : null
}

/** Whether a scheme is one that a known client opens. */
export function isClientScheme(scheme: string): boolean {
  return CLIENT_SCHEMES.has(scheme)
}
