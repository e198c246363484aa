// What the frame of a page is given, and what several pages share.

/** The signed-in person, as the frame of a dashboard page shows them. */
export interface Viewer {
  readonly email: string
  /** CSRF token bound to the session: of the sign-out form and of every other form of the dashboard. */
  readonly csrf: string
  /** Sends that wait for this person's approval. */
  readonly waiting: number
}

/** `message`: something to read and nothing to do. */
export interface MessagePage {
  readonly title: string
  readonly text: string
  readonly link?: { readonly href: string; readonly label: string }
  /** Of the request, for whoever looks into it. */
  readonly reference?: string
}

/** The way through a list that is long. */
export interface WayView {
  readonly previous: string | null
  readonly next: string | null
}

/** The same through one whose rows are counted. */
export interface PagerView extends WayView {
  readonly page: number
  readonly pages: number
  readonly rows: number
}
