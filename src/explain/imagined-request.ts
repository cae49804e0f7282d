/** A request that nobody sent. */
export interface ImaginedRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** Absent: the host of `publicOrigin`, unless `headers` name one. */
  readonly host?: string
  /** Names and values, besides `Host` and the caller's credential. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** The peer's address. Absent: 127.0.0.1. */
  readonly address?: string
  /** Whether it asks to become a WebSocket: then the opening handshake is added, as far as `headers` do not write it themselves. */
  readonly upgrade?: boolean
}

/** What a client sends to open a WebSocket (RFC 6455 section 4.1), with the key of its section 1.3. */
const OPENING_HANDSHAKE = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
] as const

/**
 * The request's head as a client would write it, with `credentials` as further headers. Everything is put in as it is, so that whatever a parser refuses is
 * refused; no value may hold a line end.
 */
export function requestHead(
  { method, target, host, headers = [], upgrade = false }: ImaginedRequest,
  publicHost: string,
  credentials: readonly (readonly [name: string, value: string])[],
): string {
  const named = new Set(headers.map(([name]) => name.toLowerCase()))
  const hosts = host !== undefined || !named.has('host') ? [['Host', host ?? publicHost] as const] : []
  const handshake = upgrade ? OPENING_HANDSHAKE.filter(([name]) => !named.has(name.toLowerCase())) : []
  const lines = [...hosts, ...credentials, ...handshake, ...headers].map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}
