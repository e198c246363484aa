import { TOKEN_HEADER } from '@vertexsms/contract/headers'
import { Pool } from 'undici'
import { settings } from './setup.ts'

// The same upstream client for every contestant but the bare proxy, and the fastest common one, so that what
// is compared is the serving of the protocol and not the fetching of a resource.
const pool = new Pool(settings.apiUrl.origin, { connections: 64 })

/** One call of the REST API with the caller's token; gives the parsed JSON body. Throws on any status but 200. */
export async function callApi(token: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
  const response = await pool.request({
    method,
    path,
    headers:
      body === undefined ? { [TOKEN_HEADER]: token } : { [TOKEN_HEADER]: token, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.body.text()
  if (response.statusCode !== 200) throw new Error(`the API answered ${response.statusCode}`)
  return response.headers['content-type']?.includes('json') ? JSON.parse(text) : text
}
