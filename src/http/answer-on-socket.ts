import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RenderedRefusal, wireFormat } from '../problem/render.ts'

/** Milliseconds for a client to stop sending and read its answer before the connection is closed. */
const LINGER_MS = 1_000

/**
 * Answers where there is no response object: a refused upgrade, or a head that could not be parsed. What the client still sends is dropped for a moment:
 * closing over unread bytes would reset the connection, and the answer would be lost (RFC 9112 section 9.6).
 */
export function answerOnSocket(socket: Duplex, rendered: RenderedRefusal): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  const part = () => {
    if (socket.readableEnded && socket.writableFinished) socket.destroy()
  }
  socket.once('close', () => clearTimeout(timer))
  socket.once('end', part)
  socket.once('finish', part)
  socket.end(wireFormat(rendered, STATUS_CODES[rendered.status] ?? 'Refused'))
  socket.resume()
}
