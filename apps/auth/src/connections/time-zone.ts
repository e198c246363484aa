const ZONE = /^[A-Za-z]+(?:\/[A-Za-z0-9_+-]+)*$/

/**
 * The name under which a typed IANA time zone is kept; null for what this runtime knows no zone by, and for an offset, which
 * has no summer. `Intl` takes names in any case: one that is listed keeps its own spelling, and an older one that is in no
 * list, which nothing could tell the spelling of, becomes the name of its zone.
 */
export function readTimeZone(typed: string): string | null {
  if (!ZONE.test(typed) || typed.length > 64) return null
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: typed }).resolvedOptions()
    return NAMES.get(typed.toLowerCase()) ?? presentName(timeZone)
  } catch {
    return null
  }
}

/** One part of the world, and its zones as a person chooses among them. */
export interface ZoneArea {
  readonly area: string
  readonly zones: readonly { readonly name: string; readonly place: string }[]
}

/**
 * Zones that `Intl` lists by a name they no longer have, and the one they have in the IANA database (its file `backward`):
 * ICU keeps the first name that a zone had, in Node 20 as in Node 24, and takes both. Those that were merged into another
 * zone keep a name of their own, and are not here.
 */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['Africa/Asmera', 'Africa/Asmara'],
  ['America/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
  ['America/Catamarca', 'America/Argentina/Catamarca'],
  ['America/Coral_Harbour', 'America/Atikokan'],
  ['America/Cordoba', 'America/Argentina/Cordoba'],
  ['America/Godthab', 'America/Nuuk'],
  ['America/Indianapolis', 'America/Indiana/Indianapolis'],
  ['America/Jujuy', 'America/Argentina/Jujuy'],
  ['America/Louisville', 'America/Kentucky/Louisville'],
  ['America/Mendoza', 'America/Argentina/Mendoza'],
  ['Asia/Calcutta', 'Asia/Kolkata'],
  ['Asia/Katmandu', 'Asia/Kathmandu'],
  ['Asia/Rangoon', 'Asia/Yangon'],
  ['Asia/Saigon', 'Asia/Ho_Chi_Minh'],
  ['Atlantic/Faeroe', 'Atlantic/Faroe'],
  ['Europe/Kiev', 'Europe/Kyiv'],
  ['Pacific/Enderbury', 'Pacific/Kanton'],
  ['Pacific/Ponape', 'Pacific/Pohnpei'],
  ['Pacific/Truk', 'Pacific/Chuuk'],
])

/** Every name that is listed, former and present, by its spelling in lower case. */
const NAMES: ReadonlyMap<string, string> = new Map(
  [...Intl.supportedValuesOf('timeZone'), ...RENAMED.values()].map((name) => [name.toLowerCase(), name]),
)

/** The present name of a zone that was renamed, under which it is the same zone; every other text as it is. */
export function presentName(zone: string): string {
  return RENAMED.get(zone) ?? zone
}

/**
 * The zones to choose from, by area and under their present names. `also` is one that stands already: an older name
 * (US/Eastern) is in no list, and must not be lost by looking at it.
 */
export function timeZoneAreas(also: string | null): readonly ZoneArea[] {
  const listed = [...Intl.supportedValuesOf('timeZone'), ...(also === null ? [] : [also])]
  const names = new Set(listed.map(presentName))
  const areas = new Map<string, { name: string; place: string }[]>()
  for (const name of [...names].sort()) {
    const [area = name, ...rest] = name.split('/')
    const place = (rest.length === 0 ? name : rest.join(', ')).replaceAll('_', ' ')
    areas.set(area, [...(areas.get(area) ?? []), { name, place }])
  }
  return [...areas].map(([area, zones]) => ({ area, zones }))
}
