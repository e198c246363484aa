import type { Scope } from '@vertexsms/contract/scopes'

/** The signed-in person, as the frame of a page shows them. */
export interface Viewer {
  readonly email: string
  /** CSRF token of the sign-out form, bound to the session. */
  readonly signOutCsrf: string
}

/** Which entry of the dashboard's navigation a page belongs to. */
export type Section = 'api' | 'phone' | 'passkeys' | 'sessions'

/** The consent page: what is asked, by whom, and where the answer goes. */
export interface ConsentPage {
  readonly formAction: string
  /** CSRF token bound to the interaction. */
  readonly csrf: string
  /** Host, or custom scheme such as `cursor:`, that receives the answer. */
  readonly redirectHost: string
  /** True when the answer goes to a program on the person's own computer (loopback address or custom scheme). */
  readonly isLocalApp: boolean
  /** What the client calls itself; never verified. */
  readonly clientName: string
  /** Host that serves the client's metadata document, which is verified; null for a registered client. */
  readonly documentHost: string | null
  readonly accountEmail: string
  readonly scopes: readonly { readonly name: Scope; readonly description: string; readonly billable: boolean }[]
  /** The "not you?" form: CSRF token bound to the session, and where to come back after signing in again. */
  readonly signOut: { readonly csrf: string; readonly returnTo: string }
}

/** The page after approval or denial, which carries the browser on to the client. */
export interface ContinuePage {
  readonly url: string
  readonly clientName: string
}

/** A page that says one thing. */
export interface MessagePage {
  readonly title: string
  readonly text: string
  readonly link?: { readonly href: string; readonly label: string }
  readonly viewer?: Viewer
}

/** Every page and the data it needs; the names are the files in views/pages. */
export interface Pages {
  readonly consent: ConsentPage
  readonly continue: ContinuePage
  readonly message: MessagePage
}

/** The name of a page. */
export type PageName = keyof Pages
