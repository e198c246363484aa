// Signing in from a program, with what both libraries ask for: a provider that keeps everything in memory, and a listener
// on loopback for the way back.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'

/** Makes a provider whose `code()` resolves with what came back from the browser. */
export async function openProvider() {
  let arrive
  const arrived = new Promise((resolve) => {
    arrive = resolve
  })
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Done</title><p>Back in the program.')
    const { pathname, searchParams } = new URL(request.url, 'http://127.0.0.1')
    if (pathname === '/callback') arrive(Object.fromEntries(searchParams))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const redirectUrl = `http://127.0.0.1:${server.address().port}/callback`
  const kept = {}
  return {
    redirectUrl,
    clientMetadata: {
      client_name: 'A program of mine',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => {
      kept.client = client
    },
    tokens: () => kept.tokens,
    saveTokens: (tokens) => {
      kept.tokens = tokens
    },
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: (verifier) => {
      kept.verifier = verifier
    },
    authorizationServerInformation: () => kept.server,
    saveAuthorizationServerInformation: (server) => {
      kept.server = server
    },
    redirectToAuthorization: (url) => void execFile('xdg-open', [String(url)]),
    async code() {
      const answer = await arrived
      server.close()
      server.closeAllConnections()
      return answer
    },
  }
}
