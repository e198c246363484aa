// The first lines of a script against the REST API, made here alone: the README, the token page and `/connect` show them.
import type { Permission } from './permissions.ts'
import { shellWord } from './shell-word.ts'

/** One thing to paste that works as it stands once `TOKEN` is set ({@link tokenCommand}). */
export interface QuickStart {
  readonly id: 'prices' | 'curl' | 'node' | 'python'
  /** What it is written in, as people call it. */
  readonly language: 'curl' | 'Node' | 'Python'
  /** Where it goes: `Terminal`, or the name of a file. */
  readonly place: string
  /** What to type to run it: the text itself in a terminal, as it stands in the first line of a file. */
  readonly run: string
  /** What the token must be allowed to do. */
  readonly needs: Permission
  readonly text: string
}

/** Sets the token for the lines after it; whoever has none to show leaves it out, and what stands for one is printed. */
export function tokenCommand(token = 'vsms_...'): string {
  return `export TOKEN=${token}`
}

/** What tells what a token may do: it needs no permission and costs nothing. */
export function tryCommand(apiUrl: string, token: string): string {
  return `curl -H "Authorization: Bearer ${token}" ${shellWord(`${apiUrl}/token`)}`
}

/**
 * Prices of one country, and one message in curl, Node and Python, for the API at this address (no slash at its end). Each
 * send has an idempotency key of its own: run twice, it is still sent once.
 */
export function quickStart(apiUrl: string): readonly QuickStart[] {
  const sms = `${apiUrl}/sms`
  const prices = `curl -H "Authorization: Bearer $TOKEN" ${shellWord(`${apiUrl}/rates?country=LT`)}`
  const curl = `curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -H "Idempotency-Key: order-1" \\
  -d '{"to": "+37060000001", "from": "VertexDemo", "message": "Hello"}' ${shellWord(sms)}`
  return [
    { id: 'prices', language: 'curl', place: 'Terminal', needs: 'GET /rates', run: prices, text: prices },
    { id: 'curl', language: 'curl', place: 'Terminal', needs: 'POST /sms', run: curl, text: curl },
    {
      id: 'node',
      language: 'Node',
      place: 'send.mjs',
      needs: 'POST /sms',
      run: 'node send.mjs',
      text: `// node send.mjs
const response = await fetch('${sms.replaceAll("'", "\\'")}', {
  method: 'POST',
  headers: {
    authorization: \`Bearer \${process.env.TOKEN}\`,
    'content-type': 'application/json',
    // Run again, nothing is sent twice; another message wants another key.
    'idempotency-key': 'order-2',
  },
  body: JSON.stringify({ to: '+37060000001', from: 'VertexDemo', message: 'Hello from Node' }),
})
console.log(response.status, await response.json())`,
    },
    {
      id: 'python',
      language: 'Python',
      place: 'send.py',
      needs: 'POST /sms',
      run: 'python3 send.py',
      text: `# python3 send.py
import json, os, urllib.error, urllib.request
request = urllib.request.Request(
    "${sms}",
    json.dumps({"to": "+37060000001", "from": "VertexDemo", "message": "Hello from Python"}).encode(),
    {
        "Authorization": f"Bearer {os.environ['TOKEN']}",
        "Content-Type": "application/json",
        # Run again, nothing is sent twice; another message wants another key.
        "Idempotency-Key": "order-3",
    },
)
try:
    response = urllib.request.urlopen(request)
except urllib.error.HTTPError as refused:
    response = refused
print(response.status, json.load(response))`,
    },
  ]
}
