import { PERMISSIONS } from '@vertexsms/contract/permissions'
import { invite } from '../support/operator.ts'
import { rememberSecret } from '../support/secrets.ts'
import type { StackFacts } from '../support/stack.ts'

/** A signed-in person without a screen: cookies and same-origin form posts, as a browser makes them. */
export interface Person {
  /** The text of a page. */
  page(path: string): Promise<string>
  /** Posts the form of a page there or to `action`; the status, and the page that came. */
  submit(
    path: string,
    fields: readonly (readonly [string, string])[],
    action?: string,
  ): Promise<readonly [number, string, ...unknown[]]>
  /** Makes a token by hand with every permission; undefined where the page refuses. */
  makeToken(name: string): Promise<string | undefined>
}

/** The person of the welcome block, signed in. */
export async function owner(product: StackFacts): Promise<Person> {
  const person = visitor(product)
  const [status] = await person.submit('/sign-in', [
    ['email', product.email],
    ['password', product.password],
  ])
  if (status !== 303) throw new Error(`sign-in answered ${status}`)
  return person
}

/** A person of an account of its own, invited by the operator. */
export async function neighbour(product: StackFacts, email: string): Promise<Person> {
  const link = await invite(product.dataDir, email)
  const person = visitor(product)
  const password = `${crypto.randomUUID()} Aa1`
  rememberSecret('password', password)
  // The secret leaves the address for a cookie.
  await person.page(link.pathname + link.search)
  const [status] = await person.submit('/set-password', [
    ['link', link.searchParams.get('link') ?? ''],
    ['password', password],
  ])
  if (status !== 303) throw new Error(`set-password answered ${status}`)
  return person
}

function visitor({ issuer }: StackFacts): Person {
  const cookies = new Map<string, string>()

  async function request(path: string, init: RequestInit = {}): Promise<[number, string, Headers]> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { 'sec-fetch-site': 'same-origin', origin: issuer, cookie }
    const response = await fetch(issuer + path, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    return [response.status, await response.text(), response.headers]
  }

  async function submit(
    path: string,
    fields: readonly (readonly [string, string])[],
    action = path,
  ): Promise<[number, string, Headers]> {
    const [, form] = await request(path)
    const csrf = /name="csrf" value="([^"]+)"/.exec(form)?.[1] ?? ''
    const body = new URLSearchParams([['csrf', csrf], ...fields.map(([name, value]) => [name, value])])
    return request(action, { method: 'POST', body })
  }

  return {
    page: async (path) => (await request(path))[1],
    submit,
    async makeToken(name) {
      const permissions = PERMISSIONS.map((permission) => ['permissions', permission] as const)
      const [status, , headers] = await submit('/settings/api/new', [['name', name], ...permissions, ['limit', 'none']])
      const location = headers.get('location')
      if (status !== 303 || location === null) return undefined
      // As a browser does, which keeps what several forms are answered with apart by their paths.
      for (const line of headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
      const [, page] = await request(location)
      const token = /vsms_[A-Za-z0-9_-]{20,}/.exec(page)?.[0]
      if (token === undefined) return undefined
      rememberSecret('token', token)
      return token
    },
  }
}
