import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RenderedRefusal, wireFormat } from '../problem/render.ts'

/** Milliseconds that a refused upload may go on being thrown away, so that its client reads the answer before the connection ends. */
const LINGER = 1_000
/** Bytes of a refused body that are worth reading to keep the connection. */
const WORTH_KEEPING = 65_536

/** Answers a refused request. A large body that is still coming costs the connection, not the gateway's time. */
export function answerRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: RenderedRefusal,
): void {
  if (response.headersSent || response.destroyed) return
  const pending = !request.complete && bodyMayBeLong(request)
  const closing = pending || headers.connection === 'close'
  response.writeHead(status, closing ? { ...headers, connection: 'close' } : headers)
  if (!closing || request.complete) {
    response.end(body)
    return
  }
  // The answer is whole by its content-length; ending the response would reset the connection under a client that is still writing.
  response.write(body)
  request.resume()
  const finish = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(finish, LINGER)
  request.once('end', finish)
  response.once('close', () => clearTimeout(timer))
}

/** Answers where there is no response object: a refused upgrade, or a head that could not be parsed. */
export function answerOnSocket(socket: Duplex, rendered: RenderedRefusal): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  socket.end(wireFormat(rendered, STATUS_CODES[rendered.status] ?? 'Refused'), () => socket.destroy())
}

function bodyMayBeLong({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > WORTH_KEEPING
}
