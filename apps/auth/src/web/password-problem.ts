import { PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS, type PasswordProblem } from '../accounts/password-rules.ts'
import type { Words } from '../words/words.ts'

/** What is wrong with a new password, as its person reads it. */
export function passwordProblemText({ passwords, format }: Words, problem: PasswordProblem): string {
  if (problem === 'short') return passwords.problem.short(format.number(PASSWORD_MIN_CHARS))
  if (problem === 'long') return passwords.problem.long(format.number(PASSWORD_MAX_CHARS))
  return passwords.problem[problem]
}
