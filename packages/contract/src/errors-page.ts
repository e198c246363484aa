import { API_ERRORS, VERTEX_ERROR_MEANINGS } from './api-errors.ts'
import { ERRORS, type ErrorDefinition } from './errors.ts'
import { ERROR_DETAILS } from './limits.ts'
import { code, table, yesNo } from './markdown.ts'
import { REFUSAL_REASONS } from './refusals.ts'

/** The errors of both doors as Markdown. */
export function errorsPage(): string {
  const catalogue = Object.entries(ERRORS as Record<string, ErrorDefinition>)
  return [
    '# Errors',
    'Every failure of the MCP server has one envelope. At the HTTP edge it is the body; in a tool call it is the text of a result with `isError: true`.',
    '```json\n{"error": {"code": "NOT_FOUND", "message": "...", "retryable": false, "vertex_error_code": null}}\n```',
    '`retryable` says whether the same call may succeed later, unchanged. `vertex_error_code` is a number of the last table, or null. Errors of authentication also carry `signup_url`, `signin_url` and `token_url`; `AUTH_REQUIRED` has no `vertex_error_code`. `details` is there for the codes of limits, approval and unknown outcomes, with the members that the table of details names; addresses in it stand in the sentence too. Errors of the protocol itself (an unknown tool, broken JSON, headers that disagree) are JSON-RPC errors.',
    '## MCP server',
    table(
      ['code', 'HTTP', 'tool result', 'retryable', 'what the person reads', 'what to do'],
      catalogue.map(([name, { http, tool, retryable, message, fix }]) => [
        code(name),
        http === null ? '' : String(http),
        tool ? 'yes' : '',
        yesNo(retryable),
        message,
        fix,
      ]),
    ),
    '### Details',
    'Amounts are decimal text in EUR, times ISO 8601. `manageUrl` and `approvalUrl` are for the owner of the account.',
    table(
      ['code', 'members of `details`'],
      Object.entries(ERROR_DETAILS).map(([name, { shape }]) => [code(name), Object.keys(shape).map(code).join(', ')]),
    ),
    'A token that stands but lacks the permission of a tool gets `AUTH_INVALID` with HTTP 403. An access token then also gets the challenge `insufficient_scope` with the granted and the needed scopes.',
    '## REST API',
    'The body is `{"message", "code", "error_code"}`, with `details: {"reason"}` where the table of reasons knows the mistake, or the details above. Decide by `code` and `details.reason`, never by `message`.',
    table(
      ['code', 'HTTP', 'message'],
      Object.entries(API_ERRORS).map(([name, { status, message }]) => [code(name), String(status), message]),
    ),
    '## Reasons',
    'In `details.reason` of a 400. The MCP server says the same in its own envelope.',
    table(
      ['reason', 'field', 'what it says'],
      Object.entries(REFUSAL_REASONS).map(([name, { field, fix }]) => [
        code(name),
        field === null ? 'the number' : code(field),
        fix,
      ]),
    ),
    '## Numeric codes',
    'In `vertex_error_code`, in `error_code`, in delivery reports and in HLR results.',
    table(
      ['code', 'meaning'],
      Object.entries(VERTEX_ERROR_MEANINGS).map(([number, meaning]) => [number, meaning]),
    ),
    '',
  ].join('\n\n')
}
