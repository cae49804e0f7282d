/** One request as it arrived, before anything is believed. Made by the listener, read by the pipeline. */
export interface Inbound {
  /** The decision id: in the answer, the log and the audit record. From `X-Request-Id` when well formed, else new. */
  readonly requestId: string
  /** As sent, case included: methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string
  /** The request target as sent (RFC 9112 section 3.2): path and query, or an absolute or other form still to be judged. */
  readonly target: string
  /** Names and values alternating, exactly as received: repeated headers are still apart. */
  readonly rawHeaders: readonly string[]
  /** The client's address: the peer's, or the one a trusted proxy names. IPv4-mapped IPv6 is written as IPv4. */
  readonly clientAddress: string
  /** `1.0` or `1.1`. */
  readonly httpVersion: string
  /** What the listener's own parser found wrong, when it gave the request up before it was whole; null: nothing. */
  readonly malformed: Malformation | null
  /** Where it came from, as the upstream will be told: rebuilt by the listener, a client's own words only from a trusted proxy. */
  readonly origin: Origin
  /** `User-Agent` as sent, for the record only; null when absent. */
  readonly userAgent: string | null
  /** Whether it asks to become a WebSocket. */
  readonly upgrade: boolean
  /** Milliseconds on the monotonic clock when the head was read. */
  readonly arrivedAt: number
}

/** The way of a request up to the gateway. */
export interface Origin {
  /** Addresses for `X-Forwarded-For`, the client's first. */
  readonly addresses: readonly string[]
  readonly proto: 'http' | 'https'
  /** Host and port as the client named them; empty when it did not. */
  readonly host: string
}

/** A request that the listener's parser could not finish: the code that it is refused with, and the reason for operators. */
export type Malformation =
  | { readonly code: 'request-malformed'; readonly reason: MalformedReason }
  | { readonly code: 'headers-too-large'; readonly reason: 'header-overflow' }
  | { readonly code: 'request-timeout'; readonly reason: 'request-timeout' }

/** What a listener finds out by itself. */
export type MalformedReason =
  | 'incomplete'
  | 'parser-error'
  | 'version-unsupported'
  | 'connect-not-served'
  | 'pipelined-upgrade'
  | 'upgrade-with-body'
  | 'forwarded-headers-differ'
  | 'forwarded-address-invalid'

/** The one reading of a request target: what is matched is what is sent. */
export interface Target {
  /** Canonical path: begins with `/`, unreserved characters decoded, other escapes in upper-case hex. */
  readonly path: string
  /** Query without its `?`, byte for byte; empty when there is none. */
  readonly query: string
  /** Host in lower case without its port; empty when an HTTP/1.0 request named none. */
  readonly host: string
}
