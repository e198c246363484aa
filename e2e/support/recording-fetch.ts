import { rememberSecret } from './secrets.ts'

/** One HTTP exchange of a client, as it went over the wire. */
export interface Exchange {
  readonly method: string
  readonly url: string
  readonly status: number
  readonly headers: Headers
  /** The body of a refusal or of a JSON answer; empty for a stream. */
  readonly body: string
}

/** A fetch that keeps what a client sent and got, so that a test can look at what an SDK hides in an error. */
export interface RecordingFetch {
  (url: string | URL, init?: RequestInit): Promise<Response>
  readonly exchanges: Exchange[]
}

/** A new, empty recorder around the platform's fetch. Every credential that passes is noted for the canary test. */
export function recordingFetch(): RecordingFetch {
  const exchanges: Exchange[] = []
  const record = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const response = await fetch(url, init)
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    const body = isStream && response.ok ? '' : await response.clone().text()
    noteCredentials(init, body)
    exchanges.push({
      method: init?.method ?? 'GET',
      url: String(url),
      status: response.status,
      headers: response.headers,
      body,
    })
    return response
  }
  return Object.assign(record, { exchanges })
}

const CREDENTIALS = [
  'access_token',
  'refresh_token',
  'client_secret',
  'registration_access_token',
  'code',
  'code_verifier',
]

function noteCredentials(init: RequestInit | undefined, body: string): void {
  const bearer = new Headers(init?.headers).get('authorization')
  rememberSecret('token', bearer?.replace(/^\S+\s+/, ''))
  if (init?.body instanceof URLSearchParams) {
    for (const name of CREDENTIALS) rememberSecret(name, init.body.get(name))
  }
  for (const name of CREDENTIALS) {
    rememberSecret(name, new RegExp(`"${name}":"([^"]+)"`).exec(body)?.[1])
  }
}
