/** A tool as `tools/list` gives it. */
export interface ListedTool {
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly inputSchema: Record<string, unknown>
  readonly outputSchema?: Record<string, unknown> | undefined
  readonly annotations?: Record<string, unknown> | undefined
}

/** A tool result, the members that both eras share. */
export interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text?: string }[]
  readonly structuredContent?: unknown
  readonly isError?: boolean
}

/**
 * What a tool call came to: a result; a refusal at the HTTP edge; or, from a client that keeps the call open while it
 * asks for more scopes, the URL it wants opened, with the result that comes after the approval.
 */
export type CallOutcome =
  | { readonly kind: 'result'; readonly result: ToolResult }
  | { readonly kind: 'step-up'; readonly authorizeUrl: URL; readonly result: Promise<ToolResult> }
  | {
      readonly kind: 'refused'
      readonly status: number
      /** The `WWW-Authenticate` header; null where there was none. */
      readonly challenge: string | null
      readonly body: string
      /** Where the client asks the person to go, when it starts another authorization by itself (step-up). */
      readonly authorizeUrl: URL | null
    }

/** The credentials that a client holds after it was authorized. */
export interface Credentials {
  readonly clientId: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly scope: string
}

/** An independent MCP client, driven through its own public interface. */
export interface IndependentClient {
  readonly label: string
  /**
   * Connects with what the client holds. Resolves with the URL that the client wants opened in a browser, or null
   * when it is connected.
   */
  connect(): Promise<URL | null>
  /** Waits for the redirect, lets the client exchange the code, and connects. */
  finish(): Promise<void>
  /** Makes the client forget its tokens, as a new sign-in in it does, and starts another authorization. */
  reconnect(): Promise<URL | null>
  listTools(): Promise<readonly ListedTool[]>
  callTool(name: string, args: Record<string, unknown>): Promise<CallOutcome>
  credentials(): Promise<Credentials>
  close(): Promise<void>
}

/** Throws unless the client asked for a browser; the message names the client. */
export function expectAuthorization(client: IndependentClient, url: URL | null): URL {
  if (url === null) throw new Error(`${client.label} did not ask for an authorization.`)
  return url
}
