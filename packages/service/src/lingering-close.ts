import type { Socket } from 'node:net'

/** What a client may still send to a connection that ends before it is cut, in bytes: several times the longest body of any service. */
const LINGER_MAX_BYTES = 16 * 1024 * 1024
/** How long it may, in milliseconds: less than a connection may stand without a request, so that nobody gains by it. */
const LINGER_MS = 5_000

const lingering = new WeakSet<Socket>()

/** True for a connection that {@link closeLingering} ends. */
export function isLingering(socket: Socket): boolean {
  return lingering.has(socket)
}

/**
 * Ends a connection on which its client still sends, so that it sees the answer: our side closes behind what was written, and
 * what comes is thrown away unread until the client closes too, for {@link LINGER_MS} and {@link LINGER_MAX_BYTES} at most. One
 * that is closed with bytes unread is reset, and a reset takes the answer from the client (RFC 9112 §9.6).
 */
export function closeLingering(socket: Socket): void {
  if (lingering.has(socket)) return
  lingering.add(socket)
  if (socket.writable) socket.end()
  const cut = () => socket.destroy()
  const timer = setTimeout(cut, LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
  const behindAnswer = () => socket.destroySoon()
  if (socket.readableEnded) {
    behindAnswer()
    return
  }
  let leftBytes = LINGER_MAX_BYTES
  const discard = ({ length }: Buffer) => {
    leftBytes -= length
    if (leftBytes < 0) cut()
  }
  // To the parser nothing more is given: it would find a request behind the body, and that would be carried out. Node up to 20
  // reads on where it paused the connection only as long as the parser has it: that comes first, and no byte before the other.
  const takeFromParser = () => socket.removeAllListeners('data').on('data', discard)
  socket.once('end', behindAnswer)
  if (socket.isPaused()) socket.once('resume', takeFromParser)
  else takeFromParser()
  socket.resume()
}
