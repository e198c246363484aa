// Development only: how programs of ours become ES modules that need neither packages nor a loader. Images hold such
// modules; tests that start real processes start them in a quarter of the time the loader takes.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin, stop, transform } from 'esbuild'

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..')

// CommonJS packages inside an ES module still expect these three.
const COMMONJS = `import { createRequire as __createRequire } from 'node:module'
const require = __createRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname`

const LINE_CHARACTERS = 160

const MODULES = '{"type":"module"}\n'

const nameOf = (source: string) => source.replace(/\.ts$/, '')

/** What to make, of what, and where. */
export interface Bundle {
  /** Name of the module, without `.js` -> source file, from the root of the repository. */
  readonly programs: Readonly<Record<string, string>>
  readonly folder: string
  /** The oldest Node that runs it, as esbuild spells it. */
  readonly target: string
  /** The JavaScript expression that stands for `import.meta.url` in the source file at `place`, from the root. */
  ownUrl(place: string): string
  /** Packages that stay imports: those with native code. */
  readonly external?: readonly string[]
  readonly plugins?: readonly Plugin[]
}

// Of two classes of one name in one file the second is renamed, and oidc-provider stores its models by class name. Keeping
// names costs something for each closure that is made, so it is done to the files of that package alone.
const keptNames: Plugin = {
  name: 'kept-names',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/]oidc-provider[\\/].*\.js$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, 'utf8'), { keepNames: true, format: 'esm', sourcefile: path })
      return { contents: code, loader: 'js' }
    })
  },
}

/** Makes one ES module of each program, what they share in chunks beside them. Resolves with every file that went in. */
export async function bundle({
  programs,
  folder,
  ownUrl,
  external,
  plugins = [],
  ...options
}: Bundle): Promise<string[]> {
  const ownUrls: Plugin = {
    name: 'own-urls',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const place = relative(ROOT, path)
        if (place.startsWith('..') || place.includes('node_modules')) return null
        const contents = readFileSync(path, 'utf8').replaceAll(/\bimport\.meta\.url\b/g, ownUrl(place))
        return { contents, loader: 'ts' }
      })
    },
  }
  const { metafile } = await build({
    ...options,
    absWorkingDir: ROOT,
    entryPoints: { ...programs },
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    minifySyntax: true,
    // Without comments and indentation: what was not run yet is kept in memory as text, with one character that is not
    // ASCII at two bytes for each. Names stay as written and lines short, so that the frames of an error say where it was.
    minifyWhitespace: true,
    lineLimit: LINE_CHARACTERS,
    legalComments: 'none',
    external: [...(external ?? [])],
    banner: { js: COMMONJS },
    plugins: [ownUrls, keptNames, ...plugins],
    logLevel: 'warning',
    metafile: true,
  })
  // Without it Node takes each module for CommonJS first, and reads it a second time.
  writeFileSync(join(folder, 'package.json'), MODULES)
  return Object.keys(metafile.inputs).map((file) => resolve(ROOT, file))
}

/** Packages that read files beside their own, or are native code. */
const STAY = /^(@electric-sql\/pglite|@node-rs\/argon2)(\/|$)/

/**
 * Makes modules of programs for processes that a test starts on this machine: `apps/auth/src/server.ts` becomes
 * `apps/auth/src/server.js` in `folder`. They read files (views, migrations) and packages with native code from the
 * repository, as the sources do. What was made in the folder `madeIn` already is not made again.
 */
export async function bundleForTests(sources: readonly string[], folder: string, madeIn?: string): Promise<void> {
  const modules = sources.map((source) => `${nameOf(source)}.js`)
  if (madeIn !== undefined && modules.every((module) => existsSync(join(madeIn, module)))) {
    for (const module of modules) {
      mkdirSync(dirname(join(folder, module)), { recursive: true })
      writeFileSync(join(folder, module), `import ${JSON.stringify(pathToFileURL(join(madeIn, module)).href)}\n`)
    }
    writeFileSync(join(folder, 'package.json'), MODULES)
    return
  }
  const stay: Plugin = {
    name: 'stay',
    setup({ onResolve, resolve: find }) {
      onResolve({ filter: STAY }, async ({ path, pluginData, ...from }) => {
        if (pluginData === stay) return undefined
        const { path: found, errors } = await find(path, { ...from, pluginData: stay })
        return errors.length > 0 ? { errors } : { path: pathToFileURL(found).href, external: true }
      })
    },
  }
  await bundle({
    programs: Object.fromEntries(sources.map((source) => [nameOf(source), source])),
    folder,
    target: 'node20',
    ownUrl: (place) => JSON.stringify(pathToFileURL(join(ROOT, place)).href),
    plugins: [stay],
  })
  // Its process would wait for more until this one ends, with hundreds of megabytes.
  await stop()
}
