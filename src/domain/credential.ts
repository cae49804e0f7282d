import type { Actor } from './actor.ts'
import type { CredentialKind, CredentialPlane } from './plane.ts'
import type { Secret } from './secret.ts'

/** What a client presented, read from its canonical carrier and not yet believed. */
export interface Credential {
  readonly kind: CredentialKind
  readonly secret: Secret
}

/** Who a verified credential speaks for. Made once per credential and shared between its requests: never changed. */
export interface Principal {
  readonly kind: CredentialKind
  readonly plane: CredentialPlane
  readonly actor: Actor
  /** Issuer of the token (`iss`); null for an API key. */
  readonly issuer: string | null
  /** `sub` of the token, or the owner of the API key. */
  readonly subject: string
  /** What may be written down of the credential: an API key's id, or the SHA-256 (hex) of a token. */
  readonly credentialId: string
  /** Session identifier (`sid`), unique within its issuer only. */
  readonly session: string | null
  /** SHA-256 (hex) of the issuer and the session: what may be written down of it. */
  readonly sessionDigest: string | null
  /** Token identifier (`jti`), unique within its issuer only. */
  readonly tokenId: string | null
  /** Seconds since the epoch. */
  readonly issuedAt: number | null
  /** Seconds since the epoch after which the credential is dead, its clock skew included; null: an API key without end. */
  readonly expiresAt: number | null
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly account: string | null
  readonly team: string | null
  readonly clientId: string | null
  /** Delegation chain (`act`, RFC 8693 section 4.1). */
  readonly delegation: Readonly<Record<string, unknown>> | null
  /** All claims of the verified token, for `require.claims` and `identity.forwardClaims`; empty for an API key. */
  readonly claims: Readonly<Record<string, unknown>>
}
