import { fastifyCompress } from '@fastify/compress'
import type { FastifyInstance } from 'fastify'

// How small an answer is when it is packed tells what in it is alike. Where one answer holds a secret and a text that
// somebody else chose, as the address of the page is in its links, whoever makes a browser ask often and counts the bytes
// learns the secret (BREACH, CVE-2013-3587). Form tokens are masked anew each time; these are the two locks besides.

/** For a route whose page holds a secret that stays the same from one answer to the next: never packed. */
export const HOLDS_A_SECRET = { compress: false } as const

/**
 * Packs the answers of every route that is registered on `app` after this. Bodies that come in stay as they are: what
 * unpacks to far more than it says is nobody's form.
 */
export async function registerCompression(app: FastifyInstance): Promise<void> {
  await app.register(fastifyCompress, { encodings: ['br', 'gzip'], globalDecompression: false })
}

/** Leaves unpacked what a page of somebody else made the browser ask for (Fetch Metadata), with the cookies of a person. */
export function unpackedForOthers(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }) => {
    const site = headers['sec-fetch-site']
    // The header by which the library is told to leave an answer alone.
    if (site === 'cross-site' || site === 'same-site') headers['x-no-compression'] = '1'
  })
}
