import type { Inbound } from '../domain/inbound.ts'

/** A request that nobody sent. */
export interface ImaginedRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** Absent: the host of `publicOrigin`, unless `headers` name one. */
  readonly host?: string
  /** Names and values, besides `Host` and the caller's credential. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** The client's address. Absent: 127.0.0.1. */
  readonly address?: string
  /** Whether it asks to become a WebSocket. */
  readonly upgrade?: boolean
}

/** The request as a listener would hand it on, with `credential` as one more header. */
export function imaginedInbound(
  request: ImaginedRequest,
  publicHost: string,
  credential: readonly [name: string, value: string] | null,
): Inbound {
  const { method, target, headers = [], address = '127.0.0.1', upgrade = false } = request
  const named = headers.find(([name]) => name.toLowerCase() === 'host')
  const host = request.host ?? named?.[1] ?? publicHost
  const lines = request.host === undefined && named !== undefined ? [] : [['Host', host]]
  return {
    requestId: 'imagined',
    method,
    target,
    rawHeaders: [...lines, ...headers, ...(credential === null ? [] : [credential])].flat(),
    clientAddress: address,
    httpVersion: '1.1',
    malformed: null,
    origin: { addresses: [address], proto: 'http', host },
    userAgent: null,
    upgrade,
    arrivedAt: 0,
  }
}
