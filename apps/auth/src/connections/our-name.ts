/** What imitations are made of: our name, and its two words the other way round. */
const OUR_NAME = 'vertexsms'
const OUR_NAMES = [OUR_NAME, 'smsvertex']

/** Letters and digits that pass for one of our name's. NFKD has already made one of the full-width and the bold ones. */
const PASSES_FOR: Readonly<Record<string, string>> = {
  ѵ: 'v',
  ν: 'v',
  υ: 'v',
  '⋁': 'v',
  е: 'e',
  є: 'e',
  ε: 'e',
  '3': 'e',
  г: 'r',
  ґ: 'r',
  ꭇ: 'r',
  т: 't',
  τ: 't',
  '7': 't',
  х: 'x',
  χ: 'x',
  '×': 'x',
  ѕ: 's',
  ꜱ: 's',
  '5': 's',
  $: 's',
  '§': 's',
  '†': 't',
  '‡': 't',
  м: 'm',
  μ: 'm',
  ᴍ: 'm',
  ᴠ: 'v',
  ᴇ: 'e',
  ʀ: 'r',
  ᴛ: 't',
  // Lisu, of whose letters a whole name can be written, Cherokee, and Latin ones with a hook or a stroke.
  ꓦ: 'v',
  ꓰ: 'e',
  ꓣ: 'r',
  ꓔ: 't',
  ꓫ: 'x',
  ꓢ: 's',
  ꓟ: 'm',
  ꮩ: 'v',
  ꭼ: 'e',
  ꭱ: 'r',
  ꭲ: 't',
  ꮪ: 's',
  ꮇ: 'm',
  ʋ: 'v',
  ɛ: 'e',
  ɇ: 'e',
  ɾ: 'r',
  ɽ: 'r',
  ŧ: 't',
  ƭ: 't',
  ʂ: 's',
  ƨ: 's',
  ɱ: 'm',
}

/** A letter of another alphabet, or a sign: one like ours to whoever does not read that alphabet. */
const FOREIGN = '?'
/** A Latin letter with something on it that no decomposition takes off, or turned round. */
const VARIANT = '*'
/** Our name in plain letters, and in such ones. */
const WRITTEN = new RegExp(`(?=(${[...OUR_NAME].map((letter) => `[${letter}${FOREIGN}${VARIANT}]`).join('')}))`, 'g')
/** Letters of our name that a text must write plainly, where it writes the others in letters that we do not know. */
const PLAIN_MIN = 4

/** True when a text holds our name, or what passes for it at a glance: other letters, one letter off, spread out. */
export function looksLikeUs(text: string): boolean {
  // A sign may stand between letters, or for one (`€` for an e).
  return [' ', FOREIGN].some((sign) => {
    const words = folded(text, sign)
    return holdsUs(words.replaceAll(' ', '')) || holdsOneOff(words)
  })
}

/** The words of a text in our letters, {@link FOREIGN} and {@link VARIANT}. */
function folded(text: string, sign: string): string {
  return [...text]
    .map(boxed)
    .join('')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(/[?*]/g, ' ')
    .replace(/[^a-z]/gu, (letter) => PASSES_FOR[letter] ?? letter)
    .replace(/(?![a-z])\p{Script=Latin}/gu, VARIANT)
    .replace(/(?![a-z0-9])[\p{L}\p{N}]/gu, FOREIGN)
    .replace(/\p{S}/gu, sign)
    .replace(/[^a-z0-9?*]+/g, ' ')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'v')
    .trim()
}

/** True when letters hold our name wherever it begins: doubled, or in letters that we do not know. */
function holdsUs(letters: string): boolean {
  // Our name has no letter twice in a row, and neither an n nor a z.
  const single = letters
    .replaceAll('n', 'm')
    .replaceAll('z', 's')
    .replace(/(\w)\1+/g, '$1')
  return (
    OUR_NAMES.some((name) => single.includes(name)) ||
    [...letters.matchAll(WRITTEN)].some(([, part = '']) => isMostlyPlain(part))
  )
}

/** Of letters that may be our name: true when enough are, and some of its second word; else any long word would do. */
function isMostlyPlain(part: string): boolean {
  const plain = [...part].filter((letter, at) => letter === OUR_NAME[at]).length
  return plain >= PLAIN_MIN && !part.endsWith(FOREIGN.repeat(3))
}

/**
 * True when words are our name but for one letter, or hold it with two letters the wrong way round. Within a longer word
 * other words begin as ours does: `Vertex Systems`, `Vertex Smart Home`.
 */
function holdsOneOff(words: string): boolean {
  const letters = words.replaceAll(' ', '')
  if (SWAPPED.some((name) => letters.includes(name))) return true
  const starts = startsOf(words)
  for (const at of starts) {
    for (const length of [OUR_NAME.length - 1, OUR_NAME.length, OUR_NAME.length + 1]) {
      const end = at + length
      if (end > letters.length) break
      if (starts.has(end) && isOneOff(letters.slice(at, end), OUR_NAME)) return true
    }
  }
  return false
}

/** At which letters a word begins, the spaces left out; at the end, too. */
function startsOf(words: string): ReadonlySet<number> {
  const starts = new Set([0])
  let length = 0
  for (const word of words.split(' ')) {
    length += word.length
    starts.add(length)
  }
  return starts
}

/** Our name with two neighbours the wrong way round, each such pair. */
const SWAPPED = Array.from(
  { length: OUR_NAME.length - 1 },
  (_, at) => OUR_NAME.slice(0, at) + OUR_NAME.charAt(at + 1) + OUR_NAME.charAt(at) + OUR_NAME.slice(at + 2),
)

/** Where the alphabet begins that stands white on black, in circles, in squares, and as flags; NFKD leaves these as they are. */
const BOXED = [0x1f150, 0x1f170, 0x1f1e6]

/** The letter of a sign that is one in a box; else the sign. */
function boxed(sign: string): string {
  const code = sign.codePointAt(0) ?? 0
  const first = BOXED.find((one) => code >= one && code < one + 26)
  return first === undefined ? sign : String.fromCodePoint(0x61 + code - first)
}

/** True when two texts are equal but for one letter changed, missing, too many, or two that stand the wrong way round. */
function isOneOff(one: string, other: string): boolean {
  let start = 0
  while (start < one.length && one[start] === other[start]) start += 1
  const [rest, otherRest] = [one.slice(start), other.slice(start)]
  if (rest === otherRest) return true
  const isSwapped = rest[0] === otherRest[1] && rest[1] === otherRest[0] && rest.slice(2) === otherRest.slice(2)
  return isSwapped || rest.slice(1) === otherRest.slice(1) || rest === otherRest.slice(1) || rest.slice(1) === otherRest
}
