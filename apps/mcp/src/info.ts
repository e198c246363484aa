import type { Implementation } from '@modelcontextprotocol/server'
import type { Config } from './env.ts'

/** The version that clients see. */
const VERSION = '0.1.0'

/** How the server introduces itself, documentation included; the icons are files of the authorization server, because they are for people. */
export function serverInfo({ ISSUER_URL, DOCUMENTATION_URL }: Config): Implementation {
  return {
    name: 'vertexsms',
    title: 'VertexSMS',
    version: VERSION,
    websiteUrl: DOCUMENTATION_URL,
    icons: [
      { src: `${ISSUER_URL}/assets/icon.svg`, mimeType: 'image/svg+xml', sizes: ['any'] },
      { src: `${ISSUER_URL}/assets/icon.png`, mimeType: 'image/png', sizes: ['128x128'] },
    ],
  }
}
