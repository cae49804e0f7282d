import type { Actor } from './actor.ts'
import type { CredentialKind, Plane } from './plane.ts'

/** The audit record of one request. Holds nothing from which a credential could be rebuilt. */
export interface DecisionRecord {
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string
  readonly requestId: string
  readonly decision: 'allow' | 'deny'
  /** Refusal code; null when allowed and answered by the upstream. */
  readonly code: string | null
  /** What operators see of the cause; null when there is nothing to explain. */
  readonly reason: string | null
  readonly route: string | null
  readonly plane: Plane | null
  readonly actor: Actor | null
  /** Issuer of the verified token; null for an API key, and when nothing was verified. */
  readonly issuer: string | null
  /** Subject of the verified credential; a digest where `audit.pseudonymize` is set. */
  readonly subject: string | null
  /** Of the verified credential; null when nothing was verified, or when there are too many to be written down. */
  readonly scopes: readonly string[] | null
  readonly roles: readonly string[] | null
  readonly credential: { readonly kind: CredentialKind; readonly id: string | null } | null
  /** SHA-256 (hex) of the session identifier. */
  readonly session: string | null
  readonly method: string
  /** Host in lower case without its port, as routes are matched; null when the request had no readable one. */
  readonly host: string | null
  /** Canonical path without query; null when the request had no readable path. */
  readonly path: string | null
  /** A digest where `audit.pseudonymize` is set. */
  readonly clientIp: string
  readonly userAgent: string | null
  /** What the client was answered. 499: it hung up before there was an answer. */
  readonly status: number
  readonly durationMs: number
  readonly upstream: string | null
  /** How many refusals this record stands for; only on `rate-limited` ones. */
  readonly count?: number
}
