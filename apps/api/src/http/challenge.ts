/** The header that a 401 carries (RFC 9110 §15.5.2); without an error where no token came at all (RFC 6750 §3.1). */
export function challenge(error?: 'invalid_request' | 'invalid_token'): Record<'www-authenticate', string> {
  const scheme = 'Bearer realm="VertexSMS API"'
  return { 'www-authenticate': error === undefined ? scheme : `${scheme}, error="${error}"` }
}
