const ZONE = /^[A-Za-z]+(?:\/[A-Za-z0-9_+-]+)*$/

/** True for an IANA time zone that this runtime knows; an offset is none, for it has no summer. */
export function isTimeZone(name: string): boolean {
  if (!ZONE.test(name) || name.length > 64) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** One part of the world, and its zones as a person chooses among them. */
export interface ZoneArea {
  readonly area: string
  readonly zones: readonly { readonly name: string; readonly place: string }[]
}

/**
 * The zones to choose from, by area. `also` is one that stands already: an older name of a zone (Europe/Kiev) is in no list,
 * and must not be lost by looking at it.
 */
export function timeZoneAreas(also: string | null): readonly ZoneArea[] {
  const names = new Set([...Intl.supportedValuesOf('timeZone'), ...(also === null ? [] : [also])])
  const areas = new Map<string, { name: string; place: string }[]>()
  for (const name of [...names].sort()) {
    const [area = name, ...rest] = name.split('/')
    const place = (rest.length === 0 ? name : rest.join(', ')).replaceAll('_', ' ')
    areas.set(area, [...(areas.get(area) ?? []), { name, place }])
  }
  return [...areas].map(([area, zones]) => ({ area, zones }))
}
