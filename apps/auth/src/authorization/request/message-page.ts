import type { KoaContextWithOIDC } from 'oidc-provider'
import type { MessagePage } from '../../views/frame.ts'
import { languageHeaders, languageOf } from '../../web/language.ts'
import { renderPage } from '../../web/page.ts'
import { WORDS, type Words } from '../../words/words.ts'

/** Answers a person in the library's context with a page that says what `message` makes of their language's words. */
export function answerWithPage(
  ctx: Pick<KoaContextWithOIDC, 'headers' | 'originalUrl' | 'set' | 'res'> & { type: string; body: unknown },
  message: (t: Words) => MessagePage,
): void {
  const language = languageOf(ctx.headers)
  ctx.type = 'html'
  ctx.set(languageHeaders(language))
  // Set on every answer before the library sees the request.
  const reference = String(ctx.res.getHeader('x-request-id'))
  const page = { ...message(WORDS[language]), reference }
  ctx.body = renderPage('message', page, { language, address: ctx.originalUrl })
}
