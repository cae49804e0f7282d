import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RenderedRefusal } from '../problem/render.ts'

/** Milliseconds for a client to stop sending and read its answer before the connection is closed. */
const LINGER_MS = 1_000
/** Bytes of a refused body that are worth reading to keep the connection. */
const WORTH_KEEPING = 65_536

/**
 * Answers with a refusal. A long body that is still coming costs the connection. Its close waits a moment and drops what arrives: closing at once would
 * reset the connection under a client that still writes, and the answer would be lost (RFC 9112 section 9.6).
 */
export function sendRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: RenderedRefusal,
): void {
  if (response.destroyed) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  const closing = headers.connection === 'close' || (!request.complete && mayBeLong(request))
  response.writeHead(status, closing ? { ...headers, connection: 'close' } : headers)
  if (!closing || request.complete) {
    response.end(body)
    return
  }
  response.write(body)
  const timer = setTimeout(finish, LINGER_MS)
  function finish(): void {
    clearTimeout(timer)
    response.end()
  }
  request.once('end', finish)
  response.once('close', () => clearTimeout(timer))
  request.resume()
}

function mayBeLong({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > WORTH_KEEPING
}
