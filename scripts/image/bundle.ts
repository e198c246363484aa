// Makes what one container image holds: `node scripts/image/bundle.ts auth|mcp|api FOLDER`.
//
// The programs of the app become one ES module each, with what they share in chunks beside them, so that the
// image needs neither packages nor a loader. Files that source code reads beside itself (views, styles, number
// tables, migrations) are copied to the same places relative to the folder as in the repository, and every
// source file keeps its own `import.meta.url`. Packages with native code are copied as packages. The licences of
// everything that went in stand in THIRD-PARTY-NOTICES.txt.

import { cpSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from '@vertexsms/service/bundle'
import { thirdPartyNotices } from './notices.ts'

interface Image {
  /** Program name in the image -> source file. */
  programs: Record<string, string>
  /** Folders whose files other than TypeScript go along. */
  files: string[]
  /** Packages with native code -> the workspace package that depends on it. */
  native: Record<string, string>
}

const shared = { health: 'scripts/image/health.ts' }

const IMAGES: Record<string, Image> = {
  auth: {
    programs: {
      ...shared,
      server: 'apps/auth/src/server.ts',
      cli: 'apps/auth/src/cli/main.ts',
      migrate: 'packages/db/src/migrate-cli.ts',
      'prepare-database': 'packages/db/src/prepare-cli.ts',
      'make-secrets': 'scripts/image/make-secrets.ts',
      welcome: 'scripts/image/print-welcome.ts',
    },
    files: ['apps/auth/src', 'prisma/migrations'],
    native: { '@node-rs/argon2': 'apps/auth' },
  },
  mcp: {
    programs: { ...shared, server: 'apps/mcp/src/server.ts' },
    files: ['apps/mcp/src'],
    native: {},
  },
  api: {
    programs: { ...shared, server: 'apps/api/src/server.ts' },
    files: ['apps/api/src'],
    native: {},
  },
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

async function makeImage({ programs, files, native }: Image, folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const bundled = await bundle({
    programs,
    folder,
    target: 'node24',
    // Each source file keeps the place it has in the repository, counted from the folder of the image.
    ownUrl: (place) => `new URL(${JSON.stringify(`./${place}`)}, import.meta.url).href`,
    external: Object.keys(native),
  })
  for (const place of files) {
    cpSync(join(root, place), join(folder, place), {
      recursive: true,
      filter: (source) => !source.endsWith('.ts'),
    })
  }
  const whole: string[] = files.flatMap((place) =>
    readdirSync(join(root, place), { recursive: true }).map((file) => join(place, String(file))),
  )
  for (const [name, owner] of Object.entries(native)) {
    // The builds for this machine stand beside the package, as links; the image gets the files.
    const scope = dirname(realpathSync(join(root, owner, 'node_modules', name)))
    for (const entry of readdirSync(scope)) {
      const source = realpathSync(join(scope, entry))
      cpSync(source, join(folder, 'node_modules', dirname(name), entry), { recursive: true })
      whole.push(join(source, 'package.json'))
    }
  }
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), thirdPartyNotices([...bundled, ...whole]))
}

const [app = '', folder] = process.argv.slice(2)
const image = IMAGES[app]
if (!image || !folder) {
  console.error(`usage: bundle.ts ${Object.keys(IMAGES).join('|')} FOLDER`)
  process.exit(2)
}
await makeImage(image, resolve(folder))
