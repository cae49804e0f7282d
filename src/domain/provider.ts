import type { CredentialPlane } from './plane.ts'

/** Asymmetric signatures only: with a public key set, a shared-secret algorithm would let anyone sign. */
export type TokenAlgorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519'

/** How a provider's tokens get their plane: all the same, or by the value of one claim (no value fits: refused). */
export type ProviderPlane =
  | { readonly fixed: CredentialPlane }
  | { readonly claim: string; readonly human: readonly string[]; readonly machine: readonly string[] }

/** Where a provider's public keys come from. */
export type KeySource =
  | { readonly from: 'url'; readonly url: string }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'discovery' }

/** Which claim carries what. */
export interface ClaimMapping {
  readonly subject: string
  readonly session: string
  readonly scopes: string
  readonly roles: string
  readonly account: string
  readonly team: string
}

/** A token issuer that the gateway trusts. Chosen by the exact `iss` of a token, never by its algorithm. */
export interface Provider {
  readonly name: string
  readonly issuer: string
  readonly plane: ProviderPlane
  /** Never empty: a token must name one of them. */
  readonly audiences: readonly string[]
  readonly algorithms: readonly TokenAlgorithm[]
  readonly keys: KeySource
  /** Accepted `typ` values, compared without regard to case and an `application/` prefix (RFC 7515 section 4.1.9). */
  readonly types: readonly string[]
  /** Milliseconds. */
  readonly clockSkew: number
  readonly requiredClaims: readonly string[]
  readonly claims: ClaimMapping
  /** Where it is written: `file:line`. */
  readonly source: string
}
