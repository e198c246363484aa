import type { Implementation } from '@modelcontextprotocol/server'
import manifest from '../../../package.json' with { type: 'json' }
import type { Config } from './env.ts'

/** How the server introduces itself, documentation included; the icons are files of the authorization server, because they are for people. */
export function serverInfo({ ISSUER_URL, DOCUMENTATION_URL }: Config): Implementation {
  return {
    name: 'vertexsms',
    title: 'VertexSMS',
    version: manifest.version,
    websiteUrl: DOCUMENTATION_URL,
    icons: [
      { src: `${ISSUER_URL}/assets/icon.svg`, mimeType: 'image/svg+xml', sizes: ['any'] },
      { src: `${ISSUER_URL}/assets/icon.png`, mimeType: 'image/png', sizes: ['128x128'] },
    ],
  }
}
