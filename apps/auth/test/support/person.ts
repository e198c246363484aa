/** A page as a person sees it: status, text, and where it leads. */
export interface View {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly html: string
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

/** A browser without a screen: a cookie jar that knows paths, same-origin form posts, meta refresh. */
export class Person {
  readonly origin: string
  readonly #ours: ReadonlySet<string>
  #cookies: Cookie[] = []

  /** `nodes` are other origins of the same site: cookies do not know ports. */
  constructor(origin: string, nodes: readonly string[] = []) {
    this.origin = origin
    this.#ours = new Set([origin, ...nodes])
  }

  /** Opens an address and follows redirects and refreshes on our own origin; stops at the first other origin. */
  async open(address: string | URL): Promise<View> {
    let url = new URL(address, this.origin)
    for (let hop = 0; hop < 12; hop += 1) {
      if (!this.#ours.has(url.origin)) return { url, status: 0, headers: new Headers(), html: '' }
      const view = await this.get(url)
      const next = view.headers.get('location') ?? refreshTarget(view.html)
      if (next === null) return view
      url = new URL(next, url)
    }
    throw new Error('too many redirects')
  }

  /** One request, nothing followed. */
  async get(address: string | URL): Promise<View> {
    return this.request(new URL(address, this.origin), { headers: { 'sec-fetch-site': 'none' } })
  }

  /** Posts a form as our own page would, nothing followed; `headers` replaces what the browser says of itself. */
  async post(
    address: string | URL,
    fields: readonly (readonly [string, string])[],
    headers: Record<string, string> = { 'sec-fetch-site': 'same-origin', origin: this.origin },
  ): Promise<View> {
    const body = new URLSearchParams(fields.map(([name, value]) => [name, value]))
    return this.request(new URL(address, this.origin), { method: 'POST', body, headers })
  }

  /** Takes the cookies of a response. */
  store(url: URL, lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
      const name = pair.slice(0, pair.indexOf('='))
      const value = pair.slice(pair.indexOf('=') + 1)
      const read = (key: string) =>
        attributes.find((part) => part.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1)
      const path = read('path') ?? url.pathname
      const gone = read('max-age') === '0' || new Date(read('expires') ?? '9999').getTime() < Date.now()
      this.#cookies = this.#cookies.filter((cookie) => cookie.name !== name || cookie.path !== path)
      if (!gone) this.#cookies.push({ name, value, path })
    }
  }

  /** Every cookie's value, for tests that try them elsewhere. */
  get cookies(): readonly Cookie[] {
    return this.#cookies
  }

  /** The Cookie header for a path of our origin. */
  cookieHeader(path: string): string {
    return this.#cookies
      .filter(
        (cookie) =>
          path === cookie.path || path.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`),
      )
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  private async request(url: URL, init: RequestInit & { headers: Record<string, string> }): Promise<View> {
    const cookie = this.cookieHeader(url.pathname)
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      // Packing and unpacking each page took a twentieth of all these tests; those of it ask for it themselves.
      headers: { 'accept-encoding': 'identity', ...init.headers, ...(cookie && { cookie }) },
    })
    this.store(url, response.headers.getSetCookie())
    // What holds an amount or a date together reads as a blank.
    const html = (await response.text()).replaceAll('\u00a0', ' ')
    return { url, status: response.status, headers: response.headers, html }
  }
}

/** Where a page's meta refresh leads; null without one. */
export function refreshTarget(html: string): string | null {
  const [, target] = /<meta http-equiv="refresh" content="\d+; ?url=([^"]+)"/i.exec(html) ?? []
  return target === undefined ? null : unescapeHtml(target)
}

/** The value of a form's hidden field; throws when the page has none. */
export function hiddenField(html: string, name: string): string {
  const [, value] = new RegExp(`name="${name}" value="([^"]*)"`).exec(html) ?? []
  if (value === undefined) throw new Error(`the page has no field ${name}`)
  return unescapeHtml(value)
}

/** The values of all checkboxes of a name. */
export function checkboxes(html: string, name: string): string[] {
  return [...html.matchAll(new RegExp(`type="checkbox" name="${name}" value="([^"]*)"`, 'g'))].map(
    ([, value = '']) => value,
  )
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
