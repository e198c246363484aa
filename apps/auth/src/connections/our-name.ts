/** What imitations are made of: our name, of two words. */
const [FIRST, SECOND] = ['vertex', 'sms']
const OUR_NAME = FIRST + SECOND

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
/** What stands between our two words and leaves them ours: marks, places, forms of companies, and small words. */
const BETWEEN = [
  ...['tm', 'mc', 'md', 'mr', 'lt', 'lv', 'ee', 'pl', 'eu', 'com', 'net', 'uab', 'ltd', 'llc', 'inc', 'gmbh'],
  ...['sia', 'ou', 'ab', 'mb', 'io', 'org', 'app', 'api', 'official', 'mobile'],
  ...['at', 'and', 'by', 'for', 'from', 'of', 'on', 'the', 'to', 'via', 'with'],
]
/** A few such words, without spaces. */
const SMALL_WORDS = `(?:${BETWEEN.map(merged).join('|')}){0,3}`
/** Our two words in either order. */
const NAMED = new RegExp(`${FIRST}${SMALL_WORDS}${SECOND}|${SECOND}${SMALL_WORDS}${FIRST}`)
/** Our name in plain letters, and in letters that we do not know. */
const WRITTEN = new RegExp(`(?=(${written(FIRST)})${SMALL_WORDS}(${written(SECOND)}))`, 'g')
/** Letters of our name that a text must write plainly, where it writes the others in letters that we do not know. */
const PLAIN_MIN = 4

/** True when a text holds our name, or what passes for it at a glance: other letters, one letter off, spread out. */
export function looksLikeUs(text: string): boolean {
  // A sign may stand between letters, or for one (`€` for an e).
  return [' ', FOREIGN].some((sign) => {
    const words = folded(text, sign)
    return holdsUs(merged(words.replaceAll(' ', ''))) || holdsOneOff(words)
  })
}

/** A pattern of a word in plain letters, {@link FOREIGN} and {@link VARIANT}. */
function written(word: string): string {
  return [...word].map((letter) => `[${letter}${FOREIGN}${VARIANT}]`).join('')
}

/** The words of a text in our letters, {@link FOREIGN} and {@link VARIANT}. */
function folded(text: string, sign: string): string {
  return [...text.replace(TRADE_MARK, ' ')]
    .map(boxed)
    .join('')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(/[?*]/g, ' ')
    .replace(/[^a-z]/gu, (letter) => PASSES_FOR[letter] ?? letter)
    .replace(DRAWN_M, 'm')
    .replace(/(?![a-z])\p{Script=Latin}/gu, VARIANT)
    .replace(/(?![a-z0-9])[\p{L}\p{N}]/gu, FOREIGN)
    .replace(SIGN, sign)
    .replace(/[^a-z0-9?*]+/g, ' ')
    .replaceAll('vv', 'v')
    .trim()
}

/** Letters with those made one that look alike or are doubled: our name has no c, n or z, and none twice in a row. */
function merged(letters: string): string {
  return letters
    .replaceAll('c', 'e')
    .replaceAll('n', 'm')
    .replaceAll('z', 's')
    .replace(/(\w)\1+/g, '$1')
}

/** True when {@link merged} letters hold our name wherever it begins, or hold it in letters that we do not know. */
function holdsUs(letters: string): boolean {
  return (
    NAMED.test(letters) ||
    [...letters.matchAll(WRITTEN)].some(([, first = '', second = '']) => isMostlyPlain(first, second))
  )
}

/** Of letters that may be our name: true when enough are, and some of its second word; else any long word would do. */
function isMostlyPlain(first: string, second: string): boolean {
  const plain = [...first, ...second].filter((letter, at) => letter === OUR_NAME[at]).length
  return plain >= PLAIN_MIN && second !== FOREIGN.repeat(SECOND.length)
}

/**
 * True when words are our name but for one letter, or hold it with two letters the wrong way round. Within a longer word
 * other words begin as ours does: `Vertex Systems`, `Vertex Smart Home`.
 */
function holdsOneOff(words: string): boolean {
  const letters = words.replaceAll(' ', '')
  if (SWAPPED.some((name) => letters.includes(name))) return true
  // Letters that stand alone are one word (`S.M.E.`).
  const starts = startsOf(words.replace(/\b(\w) (?=\w\b)/g, '$1'))
  for (const at of starts) {
    for (const length of [OUR_NAME.length - 1, OUR_NAME.length, OUR_NAME.length + 1]) {
      const end = at + length
      if (end > letters.length) break
      if (starts.has(end) && isOneOff(letters.slice(at, end))) return true
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

/** Signs of a trade mark, which NFKD would make letters of the word that they stand at. */
const TRADE_MARK = /[\u2122\u{1f16a}-\u{1f16c}]|ᵀᴹ|ᵗᵐ/gu
/** An m that is drawn with other letters. */
const DRAWN_M = /rn|[il1|ıіӏι]v[il1|ıіӏι]/g
/** What may stand for a letter: a sign, an x or a v that is drawn with two. */
const SIGN = /[>)][<(]|\\\/|\p{S}/gu

/** Where the alphabet begins that stands white on black, in circles, in squares, and as flags; NFKD leaves these as they are. */
const BOXED = [0x1f150, 0x1f170, 0x1f1e6]

/** The letter of a sign that is one in a box; else the sign. */
function boxed(sign: string): string {
  const code = sign.codePointAt(0) ?? 0
  const first = BOXED.find((one) => code >= one && code < one + 26)
  return first === undefined ? sign : String.fromCodePoint(0x61 + code - first)
}

/** True when letters are our name but for one changed, missing or too many. */
function isOneOff(letters: string): boolean {
  let start = 0
  while (start < letters.length && letters[start] === OUR_NAME[start]) start += 1
  const [rest, ours] = [letters.slice(start), OUR_NAME.slice(start)]
  // Three letters after our first word are mostly an abbreviation (`Vertex CMS`); those that look like ours are merged.
  const isChanged = start < FIRST.length && rest.slice(1) === ours.slice(1)
  return isChanged || rest === ours.slice(1) || rest.slice(1) === ours
}
