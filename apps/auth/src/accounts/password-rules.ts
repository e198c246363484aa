/** Length is what counts (NIST SP 800-63B §5.1.1.2); the upper end only keeps hashing cheap. */
export const PASSWORD_MIN_CHARS = 12
/** The most characters of a password. */
export const PASSWORD_MAX_CHARS = 200

/** Why a password may not be used; the catalogue of words has a sentence for each. */
export type PasswordProblem = 'short' | 'long' | 'common' | 'own'

/** What the most used long passwords are made of; a password that is one of them, repeated or padded, is refused. */
const COMMON_PARTS = [
  'password',
  'passwort',
  'passw0rd',
  'p@ssw0rd',
  'qwertyuiop',
  'qwerty',
  'qwertz',
  'azerty',
  'asdfghjkl',
  'asdfgh',
  'zxcvbnm',
  '1q2w3e4r5t6y',
  '1q2w3e4r',
  '1qaz2wsx3edc',
  '1qaz2wsx',
  '1234567890',
  '0123456789',
  '0987654321',
  '123456789',
  '12345678',
  '123456',
  '12345',
  '1234',
  '123',
  'abcdefghijkl',
  'abcdef',
  'abcd',
  'abc',
  'iloveyou',
  'letmein',
  'welcome',
  'administrator',
  'admin',
  'changeme',
  'default',
  'football',
  'baseball',
  'princess',
  'sunshine',
  'superman',
  'trustno1',
  'monkey',
  'dragon',
  'master',
  'secret',
  'login',
  'user',
  'test',
  'demo',
  'vertexsms',
  'vertex',
  'sms',
]

/** Why a password may not be used; null when it may. No composition rules. */
export function passwordProblem(password: string, email: string): PasswordProblem | null {
  const chars = [...password].length
  if (chars < PASSWORD_MIN_CHARS) return 'short'
  if (chars > PASSWORD_MAX_CHARS) return 'long'
  const lower = password.toLowerCase()
  if (new Set(lower).size < 5 || leftOver(lower, COMMON_PARTS).length < 4) {
    return 'common'
  }
  const [mailbox = ''] = email.split('@')
  const own = [email, ...(mailbox.length >= 4 ? [mailbox] : [])]
  if (own.some((part) => lower.includes(part)) && leftOver(lower, [...own, ...COMMON_PARTS]).length < 4) {
    return 'own'
  }
  return null
}

/** What is left of a password when the given parts, and the usual signs around them, are taken away. */
function leftOver(password: string, parts: readonly string[]): string {
  return parts.reduce((rest, part) => rest.replaceAll(part, ''), password).replace(/[\s!?.,_*#@$%&+=-]/g, '')
}
