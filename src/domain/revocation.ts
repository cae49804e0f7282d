/**
 * What is withdrawn before its time. `issuer` null means of every issuer. Sessions, tokens and subjects are those of JWTs; `credential` is an API
 * key's id or a token's SHA-256 (hex).
 */
export type Revocation =
  | { readonly kind: 'session'; readonly issuer: string | null; readonly session: string }
  | { readonly kind: 'token'; readonly issuer: string | null; readonly tokenId: string }
  | {
      readonly kind: 'subject'
      readonly issuer: string | null
      readonly subject: string
      /** Seconds since the epoch: tokens issued then or before, and those that do not say when, no longer count. */
      readonly issuedUpTo: number
    }
  | { readonly kind: 'credential'; readonly credentialId: string }

/** Why a credential that was good no longer counts, for operators: what of it was revoked. */
export type RevokedReason = 'session-revoked' | 'token-revoked' | 'subject-revoked' | 'credential-revoked'

/** A revocation as it is kept. */
export interface RecordedRevocation {
  readonly id: string
  readonly revocation: Revocation
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Milliseconds since the epoch from which nothing that it concerns can be alive, so that it is forgotten. */
  readonly until: number
  /** Who asked for it, as the audit log names them. */
  readonly by: string
}
