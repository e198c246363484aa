/** What a page answered. */
export interface View {
  readonly status: number
  /** Where it was, or where it sends the browser. */
  readonly url: URL
  readonly html: string
}

/** A browser without scripts: it keeps cookies, follows redirects on our own origin and posts the forms it is shown. */
export class Visitor {
  readonly #cookies = new Map<string, string>()
  readonly #issuer: string

  constructor(issuer: string) {
    this.#issuer = issuer
  }

  /** Opens a page, following redirects as long as they stay with us. */
  async open(target: string | URL): Promise<View> {
    let view = await this.#request(new URL(target, this.#issuer), {})
    while (view.status >= 300 && view.status < 400 && view.url.origin === new URL(this.#issuer).origin) {
      view = await this.#request(view.url, {})
    }
    return view
  }

  /** Posts fields with the token of the form that `page` shows; redirects are not followed. */
  post(
    page: View,
    path: string,
    fields: readonly (readonly [string, string])[],
    headers: Record<string, string> = { 'sec-fetch-site': 'same-origin' },
  ): Promise<View> {
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.html)?.[1] ?? ''
    const body = new URLSearchParams([['csrf', csrf], ...fields.map(([name, value]) => [name, value])])
    return this.#request(new URL(path, this.#issuer), { method: 'POST', body, headers })
  }

  /** Signs in by password; 303 where it is taken. */
  async signIn(email: string, password: string): Promise<number> {
    const fields = [
      ['email', email],
      ['password', password],
    ] as const
    return (await this.post(await this.open('/sign-in'), '/sign-in', fields)).status
  }

  async #request(url: URL, init: RequestInit & { headers?: Record<string, string> }): Promise<View> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? []
      this.#cookies.set(name, value)
    }
    const location = response.headers.get('location')
    return { status: response.status, url: location ? new URL(location, url) : url, html: await response.text() }
  }
}
