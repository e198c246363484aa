import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { emailSchema } from '../accounts/email.ts'
import { keepWithin, originOf } from '../room.ts'
import type { WebDeps } from '../web/deps.ts'
import { sendPage } from '../web/page.ts'
import { assertAllowed } from '../web/tries.ts'

const line = (label: string, max: number) =>
  z
    .string()
    .max(4 * max, `${label} may have ${max} characters at most.`)
    .pipe(z.string().trim())
    .pipe(z.string().min(1, `${label} is missing.`).max(max, `${label} may have ${max} characters at most.`))
    .refine((value) => !/\p{Cc}/u.test(value.replace(/[\r\n\t]/g, '')), `${label} may not contain control characters.`)

const formSchema = z.object({
  email: emailSchema,
  name: line('Your name', 100),
  company: line('Your company', 100),
  reason: line('What you want to do', 1000),
})
const FIELDS = ['email', 'name', 'company', 'reason'] as const
type Fields = Record<(typeof FIELDS)[number], string>

/** "Request access": the request is kept for an operator. The answer is the same whether the address is known or not. */
export function registerRequestAccess(app: FastifyInstance, deps: WebDeps): void {
  app.get('/request-access', (request, reply) => showForm(deps, request, reply, emptyFields(), [], 200))

  app.post('/request-access', async (request, reply) => {
    deps.forms.check(request, deps.forms.visitor(request, reply))
    const sent = sentFields(request.body)
    const judged = formSchema.safeParse(sent)
    if (!judged.success) {
      const errors = judged.error.issues.map(({ path, message }) =>
        path[0] === 'email' ? 'Enter a complete e-mail address.' : message,
      )
      return showForm(deps, request, reply, sent, [...new Set(errors)], 422)
    }
    await assertAllowed(deps, reply, 'requestAccess', { address: request.ip })
    await keep(deps, judged.data, originOf(deps.operatorKey, request.ip))
    return sendPage(reply, 'message', {
      title: 'Thank you',
      text: 'We have your request. If you are invited, the operator gives you a link with which you set a password.',
      link: { href: '/sign-in', label: 'Back to sign in' },
    })
  })
}

/** Each request is a row of its own: whoever names another's address adds to what an operator reads, and changes nothing. */
async function keep(deps: WebDeps, fields: Fields, origin: string): Promise<void> {
  await deps.db.accessRequest.create({ data: { id: randomUUID(), ...fields, origin, createdAt: new Date() } })
  await keepWithin(deps.db, 'accessRequests', origin)
}

function emptyFields(): Fields {
  return { email: '', name: '', company: '', reason: '' }
}

function sentFields(body: unknown): Fields {
  const sent = (body ?? {}) as Record<string, unknown>
  return Object.fromEntries(
    FIELDS.map((field) => [field, typeof sent[field] === 'string' ? sent[field] : '']),
  ) as Fields
}

function showForm(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  fields: Fields,
  errors: readonly string[],
  status: number,
): Promise<string> {
  const csrf = deps.forms.token(deps.forms.visitor(request, reply))
  return sendPage(reply, 'request-access', { csrf, errors, ...fields }, status)
}
