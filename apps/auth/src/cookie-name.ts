/**
 * The full name of a cookie of ours. Over https it has the prefix, so that no page that came in the clear can plant one
 * (RFC 6265bis §4.1.3.1), and with `__Host-`, for cookies of every path alone, no other host either (§4.1.3.2);
 * http://localhost can have neither.
 */
export function cookieName(issuerUrl: string, prefix: '__Host-' | '__Secure-', name: string): string {
  return `${issuerUrl.startsWith('https:') ? prefix : ''}vertexsms_${name}`
}
