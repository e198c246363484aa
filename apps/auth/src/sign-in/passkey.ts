import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyInstance } from 'fastify'
import { checkPasskey } from '../accounts/passkeys.ts'
import type { WebDeps } from '../web/deps.ts'
import { textField } from '../web/fields.ts'
import { wordsFor } from '../web/language.ts'
import { waitWords } from '../web/page.ts'
import { safeReturnTo } from '../web/return-to.ts'
import { assertAllowed, whileAllowed } from '../web/tries.ts'
import { passkeyBinding, showSignIn, startSession } from './sign-in.ts'

/** Signing in with a passkey; the form is on the sign-in page. */
export function registerPasskeySignIn(app: FastifyInstance, deps: WebDeps): void {
  app.post(`${PAGE_PATHS.signIn}/passkey`, async (request, reply) => {
    const visitor = deps.forms.visitor(request, reply)
    deps.forms.check(request, visitor)
    const returnTo = safeReturnTo(textField(request, 'return_to'))
    // By whose the passkey is, and nothing that names none: else what neighbours send would keep others from theirs.
    const count = async (about: string) => {
      await assertAllowed(deps, reply, 'passkey', { about, address: request.ip })
    }
    const answer = textField(request, 'credential')
    const tried = await whileAllowed(
      checkPasskey(deps, answer, { binding: passkeyBinding(visitor), count }).then((proof) => ({ proof })),
    )
    if (!tried) {
      const error = waitWords(reply, wordsFor(request))
      return showSignIn(deps, request, reply, { returnTo, email: '', status: 429, error })
    }
    const { proof } = tried
    if (!proof || !(await startSession(deps, request, reply, proof))) {
      const error = wordsFor(request).signIn.passkeyRefused
      return showSignIn(deps, request, reply, { returnTo, email: '', status: 422, error })
    }
    return reply.redirect(returnTo, 303)
  })
}
