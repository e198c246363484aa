/** One message of the PostgreSQL protocol (chapter "Message Formats"), type letter and length included. */
export interface Frame {
  type: string
  bytes: Buffer
}

/** The first packet of a connection (PostgreSQL protocol, StartupMessage). */
export interface StartupPacket {
  kind: 'startup' | 'encryption' | 'cancel'
  bytes: Buffer
}

const SSL_REQUEST = 80877103
const GSS_REQUEST = 80877104
const CANCEL_REQUEST = 80877102

/** The first packet, which has no type letter; null while it is incomplete. */
export function startupPacket(buffer: Buffer): StartupPacket | null {
  if (buffer.length < 8) return null
  const length = buffer.readInt32BE(0)
  if (buffer.length < length) return null
  const code = buffer.readInt32BE(4)
  const bytes = buffer.subarray(0, length)
  if (code === CANCEL_REQUEST) return { kind: 'cancel', bytes }
  if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: 'encryption', bytes }
  return { kind: 'startup', bytes }
}

/** Splits what has arrived into whole messages and the unfinished rest. */
export function frames(buffer: Buffer): { complete: Frame[]; rest: Buffer } {
  const complete: Frame[] = []
  let offset = 0
  while (buffer.length - offset >= 5) {
    const end = offset + 1 + buffer.readInt32BE(offset + 1)
    if (end > buffer.length) break
    complete.push({ type: String.fromCharCode(buffer[offset] ?? 0), bytes: buffer.subarray(offset, end) })
    offset = end
  }
  return { complete, rest: buffer.subarray(offset) }
}

/**
 * Puts a prefix before the name of a prepared statement in Parse, Bind, Describe and Close, so that connections that
 * share one session cannot meet each other's statements. The unnamed statement keeps no name.
 */
export function renameStatement({ type, bytes }: Frame, prefix: string): Buffer {
  const at = statementNameOffset(type, bytes)
  if (at === -1 || bytes[at] === 0) return bytes
  const renamed = Buffer.concat([bytes.subarray(0, at), Buffer.from(prefix), bytes.subarray(at)])
  renamed.writeInt32BE(renamed.length - 1, 1)
  return renamed
}

function statementNameOffset(type: string, bytes: Buffer): number {
  if (type === 'P') return 5
  if (type === 'B') return bytes.indexOf(0, 5) + 1
  if ((type === 'D' || type === 'C') && bytes[5] === 'S'.charCodeAt(0)) return 6
  return -1
}
