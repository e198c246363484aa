import type { FuzzCase } from './request.ts'
import type { Answer, Outcome } from './wire.ts'

/** Text that may stand in no answer: traces, paths of the source, internal failures. */
const FORBIDDEN = [/\n\s+at /, /node_modules/, /\/src\//, /"code":\s*-32603/, /"code":\s*"INTERNAL"/]

function judgeAnswer(fuzzCase: FuzzCase, { status, headers, body }: Answer, secret: string): string | null {
  if (!(status >= 200 && status < 500)) return `status ${status}`
  if (fuzzCase.statuses && !fuzzCase.statuses.includes(status)) {
    return `status ${status} instead of ${fuzzCase.statuses.join(' or ')}`
  }
  if (body.includes(secret)) return 'the token stands in the answer'
  const leak = FORBIDDEN.find((pattern) => pattern.test(body))
  if (leak) return `the answer holds ${leak}`
  if (status === 401 && !headers.has('www-authenticate')) return '401 without a challenge'
  if (body !== '' && headers.get('content-type')?.startsWith('application/json')) {
    try {
      JSON.parse(body)
    } catch {
      return 'the body is not the JSON it says it is'
    }
  }
  const isSound = fuzzCase.kind === 'sound call' || fuzzCase.kind === 'pipelined' || fuzzCase.kind === 'slow body'
  if (isSound && !body.includes('BITE')) return 'a sound call without its result'
  return null
}

/** What is wrong with the outcome of a case; null when nothing is. `secret` may stand in no answer. */
export function judge(fuzzCase: FuzzCase, outcome: Outcome, secret: string): string | null {
  if (outcome.end === 'silent') return 'neither answered nor closed'
  if (outcome.end === 'closed' && outcome.answers.length < fuzzCase.answers && !fuzzCase.mayClose) {
    return `closed after ${outcome.answers.length} of ${fuzzCase.answers} answers`
  }
  for (const answer of outcome.answers) {
    const wrong = judgeAnswer(fuzzCase, answer, secret)
    if (wrong) return `${wrong}: ${answer.body.slice(0, 300)}`
  }
  return null
}
