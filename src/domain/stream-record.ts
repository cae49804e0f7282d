import type { CredentialKind } from './plane.ts'

/** What stays open after its request was answered. */
export type StreamKind = 'websocket' | 'event-stream'

/** The audit record of a stream that the gateway closed because of its credential. Holds no secret. */
export interface StreamRecord {
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string
  /** Of the request that opened it, which has its own record. */
  readonly requestId: string
  readonly route: string
  readonly stream: StreamKind
  /** Refusal code: what a new request with the credential would be answered. */
  readonly code: string
  readonly reason: string
  readonly credential: { readonly kind: CredentialKind; readonly id: string }
  /** SHA-256 (hex) of the session identifier. */
  readonly session: string | null
}
