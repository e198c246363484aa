/** What came back for one request, with the form fields that the page carries. */
export interface Page {
  status: number
  location: string | null
  headers: Headers
  html: string
  /** Value of the first hidden field of this name. */
  hidden(name: string): string
}

/** A browser without a screen: cookies, same-origin headers, forms. It follows no redirect by itself. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #base: string

  constructor(base: string) {
    this.#base = base
  }

  get(path: string): Promise<Page> {
    return this.#request(path, { headers: { 'sec-fetch-site': 'none' } })
  }

  /** Posts a form as the page of our own origin would; `headers` replaces what the browser says about itself. */
  post(
    path: string,
    fields: Record<string, string | string[]>,
    headers: Record<string, string> = { 'sec-fetch-site': 'same-origin', origin: 'null' },
  ): Promise<Page> {
    const body = new URLSearchParams()
    for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one)
    return this.#request(path, { method: 'POST', body, headers })
  }

  /** Signs in through the form; the page that answers. */
  async signIn(email: string, password: string, returnTo?: string): Promise<Page> {
    const page = await this.get(
      returnTo === undefined ? '/sign-in' : `/sign-in?return_to=${encodeURIComponent(returnTo)}`,
    )
    return this.post('/sign-in', { email, password, csrf: page.hidden('csrf'), return_to: page.hidden('return_to') })
  }

  async #request(path: string, init: RequestInit & { headers: Record<string, string> }): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(this.#base + path, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, ...(cookie && { cookie }) },
    })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const [name = '', value = ''] = pair.split('=')
      if (/max-age=0/i.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    const html = await response.text()
    return {
      status: response.status,
      location: response.headers.get('location'),
      headers: response.headers,
      html,
      hidden(name) {
        const [, value] = new RegExp(`<input type="hidden" name="${name}" value="([^"]*)"`).exec(html) ?? []
        if (value === undefined) throw new Error(`the page has no hidden field ${name}`)
        return value.replaceAll('&amp;', '&')
      },
    }
  }
}
