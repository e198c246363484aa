import { randomUUID } from 'node:crypto'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { emailSchema } from '../accounts/email.ts'
import { HANDLED_REQUEST_DAYS } from '../service-limits.ts'
import { keepWithin, originOf } from '../storage-quota.ts'
import type { RequestAccessPage } from '../views/sign-in.ts'
import type { WebDeps } from '../web/deps.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage, waitWords } from '../web/page.ts'
import { assertAllowed, whileAllowed } from '../web/tries.ts'
import type { Words } from '../words/words.ts'

/** Longest texts; what was sent may be longer by what is trimmed. */
const MAX_CHARS = { name: 100, company: 100, reason: 1000 } as const

/** What is wrong with a text is told by the name of its sentence. */
const line = (max: number) =>
  z
    .string()
    .max(4 * max, 'tooLong')
    .pipe(z.string().trim())
    .pipe(z.string().min(1, 'missing').max(max, 'tooLong'))
    .refine((value) => !/\p{Cc}/u.test(value.replace(/[\r\n\t]/g, '')), 'control')

const formSchema = z.object({
  email: emailSchema,
  name: line(MAX_CHARS.name),
  company: line(MAX_CHARS.company),
  reason: line(MAX_CHARS.reason),
})
const FIELDS = ['email', 'name', 'company', 'reason'] as const
type Fields = Record<(typeof FIELDS)[number], string>

/** "Request access": the request is kept for an operator. The answer is the same whether the address is known or not. */
export function registerRequestAccess(app: FastifyInstance, deps: WebDeps): void {
  app.get(PAGE_PATHS.requestAccess, (request, reply) => showForm(deps, request, reply, emptyFields(), {}))

  app.post(PAGE_PATHS.requestAccess, async (request, reply) => {
    deps.forms.check(request, deps.forms.visitor(request, reply))
    const sent = sentFields(request.body)
    const judged = formSchema.safeParse(sent)
    if (!judged.success) {
      return showForm(deps, request, reply, sent, errorsOf(wordsFor(request), judged.error.issues))
    }
    const isAllowed = await whileAllowed(
      assertAllowed(deps, reply, 'requestAccess', { address: request.ip }).then(() => true),
    )
    if (!isAllowed) return showForm(deps, request, reply, sent, {}, waitWords(reply, wordsFor(request)))
    await keep(deps, judged.data, originOf(deps.operatorKey, request.ip))
    const { title, text, back } = wordsFor(request).requestAccess.thanks
    return sendPage(reply, 'message', { title, text, link: { href: PAGE_PATHS.signIn, label: back } })
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

type Errors = RequestAccessPage['errors']

/** A sentence for each field, the first of several. */
function errorsOf({ requestAccess: w, format }: Words, issues: readonly z.core.$ZodIssue[]): Errors {
  const errors: Record<string, string> = {}
  for (const { path, message } of issues) {
    const field = FIELDS.find((name) => name === path[0])
    if (field === undefined || field in errors) continue
    if (field === 'email') errors.email = w.problem.email
    else if (message === 'tooLong') errors[field] = w.problem.tooLong(format.number(MAX_CHARS[field]))
    else errors[field] = message === 'control' ? w.problem.control : w.problem.missing
  }
  return errors
}

function showForm(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  fields: Fields,
  errors: Errors,
  wait: string | null = null,
): Promise<string> {
  const csrf = deps.forms.token(deps.forms.visitor(request, reply))
  const page = { csrf, errors, wait, keptDays: HANDLED_REQUEST_DAYS, ...fields }
  return sendPage(reply, 'request-access', page, wait ? 429 : Object.keys(errors).length > 0 ? 422 : 200)
}
