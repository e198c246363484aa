/** Languages that pages are written in; the first is spoken to whoever asks for none of them. */
export const LANGUAGES = ['en', 'lt'] as const
export type Language = (typeof LANGUAGES)[number]

/** True for a language that pages are written in. */
export function isLanguage(word: unknown): word is Language {
  return LANGUAGES.some((language) => language === word)
}

/** A sentence, or what makes one of the values that stand in it. */
type Sentence = string | ((...values: never[]) => string)
/** Sentences by name, in groups where that helps to find them. */
export interface Sentences {
  readonly [name: string]: Sentence | Sentences
}

type Shape<Words> = {
  readonly [Name in keyof Words]: Words[Name] extends string
    ? string
    : Words[Name] extends (...values: infer Values) => string
      ? (...values: Values) => string
      : Shape<Words[Name]>
}

/**
 * The words of one page or of what belongs together, in every language. English says which sentences there are and
 * which values each is made of; a language that lacks one, or has one more, does not compile.
 */
export function room<Words extends Sentences>(words: {
  readonly en: Words
  readonly lt: NoInfer<Shape<Words>>
}): Readonly<Record<Language, Shape<Words>>> {
  return { en: words.en as unknown as Shape<Words>, lt: words.lt }
}

const plurals = { en: new Intl.PluralRules('en'), lt: new Intl.PluralRules('lt') }

/** The English form for a count: "message" or "messages". */
export function one(count: number, form: string, others: string): string {
  return plurals.en.select(count) === 'one' ? form : others
}

/**
 * The Lithuanian form beside a count that is written out: 1, 21 or 31 (`žinutė`), 2 to 9 or 22 to 29 (`žinutės`), and 0, 10 to 20 or 30
 * (`žinučių`).
 */
export function vienas(count: number, vienas: string, keli: string, daug: string): string {
  const form = plurals.lt.select(count)
  return form === 'one' ? vienas : form === 'few' ? keli : daug
}
