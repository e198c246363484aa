import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.|-|$)/i

/** Data of others that our own files repeat, and the terms it came under. */
const DATA = [
  {
    file: 'apps/api/src/upstream/sandbox/mobile-prefixes.json',
    notice:
      'mobile-prefixes.json repeats the carrier map of libphonenumber by Google (https://github.com/google/libphonenumber), licensed under the Apache License, Version 2.0 (https://www.apache.org/licenses/LICENSE-2.0). Changed: joined to the networks of mcc-mnc-list, and reduced to them.',
  },
]

interface Manifest {
  name: string
  version: string
  license?: string
}

/**
 * The notices that an image owes: for each package of which a file went into the bundle, or that goes along whole, its
 * name, version, licence and the texts it ships; then the data. `inputs` are paths of files. Throws for a package that
 * names no licence, so that an image cannot be made without knowing its terms.
 */
export function thirdPartyNotices(inputs: Iterable<string>): string {
  const folders = new Set<string>()
  const data = new Set<string>()
  for (const input of inputs) {
    const folder = packageFolder(input)
    if (folder) folders.add(folder)
    for (const { file, notice } of DATA) if (input.endsWith(file)) data.add(notice)
  }
  const sections = new Map<string, string>()
  for (const folder of folders) {
    const { name, version, license } = readManifest(folder)
    const texts = readdirSync(folder)
      .filter((file) => LICENCE_FILE.test(file))
      .sort()
      .map((file) => readFileSync(join(folder, file), 'utf8').trim())
    if (!license && texts.length === 0) throw new Error(`${name}@${version} names no licence`)
    sections.set(`${name}@${version}`, [`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n'))
  }
  const packages = [...sections].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, text]) => text)
  const rule = `\n\n${'-'.repeat(80)}\n\n`
  return `This image contains software and data of others, under their own terms.${rule}${[...packages, ...data].join(rule)}\n`
}

/** The folder of the package that a file belongs to; undefined for our own. */
function packageFolder(file: string): string | undefined {
  if (!file.includes('node_modules/')) return undefined
  for (let folder = dirname(file); folder.includes('node_modules/'); folder = dirname(folder)) {
    // A package may hold further manifests that only say how a subfolder is to be read.
    if (existsSync(join(folder, 'package.json')) && readManifest(folder).version) return folder
  }
  return undefined
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}
