import type { ClientGuide } from '@vertexsms/contract/connect'
import type { QuickStart } from '@vertexsms/contract/quick-start'

/** `sign-in`: password and passkey. */
export interface SignInPage {
  /** CSRF token bound to the visitor cookie. */
  readonly csrf: string
  readonly email: string
  /** Own path to go on to. */
  readonly returnTo: string
  /** True when signing in goes on to an app's request for access. */
  readonly continuesToApp: boolean
  /** Who asks; null where it is not known. */
  readonly asker: string | null
  /** JSON for the passkey ceremony, run by passkeys.js. */
  readonly passkeyOptions: string
  readonly error: string | null
  /** True for a browser whose session has ended: it was signed in until now. */
  readonly hasEnded: boolean
}

/** `connect`: how each client is connected; the same for everybody. */
export interface ConnectPage {
  readonly mcpUrl: string
  readonly apiUrl: string
  /** True where only programs on the same computer reach the address. */
  readonly isLocal: boolean
  readonly clients: readonly ClientGuide[]
  /** What sets the token for the lines of {@link quickStart}. */
  readonly tokenCommand: string
  readonly quickStart: readonly QuickStart[]
}

/** `request-access`: the form of somebody without an account. */
export interface RequestAccessPage {
  readonly csrf: string
  /** What is wrong with each field. */
  readonly errors: {
    readonly email?: string
    readonly name?: string
    readonly company?: string
    readonly reason?: string
  }
  /** After how long to send it again; null where nobody has to wait. */
  readonly wait: string | null
  /** How long a request is kept once it was handled. */
  readonly keptDays: number
  readonly email: string
  readonly name: string
  readonly company: string
  readonly reason: string
}

/** `set-password`: where a password link leads. */
export interface SetPasswordPage {
  readonly csrf: string
  /** The link's secret, carried on to the post. */
  readonly link: string
  readonly email: string
  /** False for an invited newcomer, who loses nothing by it. */
  readonly hasAccount: boolean
  readonly minChars: number
  readonly error: string | null
  /** After how long to send it again; null where nobody has to wait. */
  readonly wait: string | null
}

/** `forgot-password`: how to get a link that sets a new one. */
export interface ForgotPasswordPage {
  readonly csrf: string
  readonly sendsMail: boolean
  /** Of the operator: an email address or an https URL. */
  readonly contact: string | null
  /** True once it was asked for, whether there is an account or not. */
  readonly isSent: boolean
  /** How long a mailed link works. */
  readonly hours: number
  readonly email: string
  readonly error: string | null
  /** After how long to ask again; null where nobody has to wait. */
  readonly wait: string | null
}
