import type { CredentialKind, CredentialPlane, Plane } from '../domain/plane.ts'

/** Somebody who could ask: a verified credential as it would be, without its secret. */
export interface ImaginedCaller {
  readonly kind: CredentialKind
  /** Which side it speaks for, where its provider does not decide that by itself. Who is behind it follows from that. */
  readonly plane: CredentialPlane
  /** Of the token; null for an API key. */
  readonly issuer: string | null
  readonly subject: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
}

/** What is decided, in the words of the audit record. */
export interface Outcome {
  readonly decision: 'allow' | 'deny'
  /** Refusal code; null when allowed. */
  readonly code: string | null
  /** Of the refusal, or of the answer to a preflight; null where the upstream would say. */
  readonly status: number | null
  readonly reason: string | null
  readonly route: string | null
  readonly plane: Plane | null
  /** `file:line` of the route. */
  readonly rule: string | null
}
