import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'

/** Content codings a client might claim (RFC 9110 §8.4.1). */
export const CODINGS = ['gzip', 'deflate', 'br'] as const

const COMPRESSORS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }

/** `text` really compressed in the given coding. */
export function compress(coding: (typeof CODINGS)[number], text: string): Buffer {
  return COMPRESSORS[coding](text)
}
