import type { IncomingHttpHeaders } from 'node:http'
import Negotiator from 'negotiator'

/** The language of `languages` that an `Accept-Language` prefers (RFC 9110 §12.5.4); the first where it names none. */
export function preferredLanguage<Language extends string>(
  headers: IncomingHttpHeaders,
  languages: readonly [Language, ...Language[]],
): Language {
  const named = new Negotiator({ headers }).language([...languages])
  return languages.find((language) => language === named) ?? languages[0]
}

/** True where `Accept` names HTML before everything else, as a browser does that a person opens an address in. */
export function prefersHtml(headers: IncomingHttpHeaders): boolean {
  return new Negotiator({ headers }).mediaTypes()[0] === 'text/html'
}

/** An event stream, and one whose only encoding is named beside it: they are the same. */
const EVENT_STREAM = ['text/event-stream', 'text/event-stream;charset=utf-8']

/** True where `Accept` takes an event stream, or stands nowhere (RFC 9110 §12.5.1). */
export function takesEventStream(headers: IncomingHttpHeaders): boolean {
  return new Negotiator({ headers }).mediaType(EVENT_STREAM) !== undefined
}
