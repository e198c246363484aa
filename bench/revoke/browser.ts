/** The least of a browser that pages without script need: cookies, redirects, forms with their CSRF token. */
export class Browser {
  readonly #origin: string
  readonly #cookies = new Map<string, string>()

  constructor(origin: string) {
    this.#origin = origin
  }

  /** The text of a page; follows redirects on the same origin. */
  async get(path: string): Promise<string> {
    return this.#read(await this.#send(path, { method: 'GET' }))
  }

  /** Posts a form; the CSRF token is the first one on `page`. Throws when the answer is an error. */
  async post(path: string, page: string, fields: readonly (readonly [string, string])[]): Promise<string> {
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const body = new URLSearchParams([['csrf', csrf], ...fields.map(([name, value]) => [name, value])])
    return this.#read(await this.#send(path, { method: 'POST', body }))
  }

  async #read(response: Response): Promise<string> {
    const location = response.headers.get('location')
    if (location !== null) {
      await response.arrayBuffer()
      return this.get(new URL(location, this.#origin).pathname)
    }
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}`)
    return response.text()
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { cookie, origin: this.#origin, 'sec-fetch-site': 'same-origin' }
    const response = await fetch(this.#origin + path, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      this.#cookies.set(name, value)
    }
    return response
  }
}
