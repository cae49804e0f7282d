import { claimAttacks } from './bad-claims.ts'
import { encodingAttacks } from './bad-encodings.ts'
import { headerAttacks } from './bad-headers.ts'
import { signatureAttacks } from './bad-signatures.ts'
import type { ForgingKey } from './forge.ts'

/**
 * What a bad token is made from. The provider under test must be declared with `issuer`, `audience`, the algorithms RS256, ES256 and EdDSA,
 * the types `at+jwt` and `JWT`, required claims `sub` and `sid`, 30 s of clock skew, and the plane by the claim `plane` (`human`, `machine`).
 */
export interface TokenContext {
  readonly issuer: string
  readonly audience: string
  /** Seconds since the epoch, as the gateway under test sees them. */
  now(): number
  /** Published by the issuer. */
  readonly keys: { readonly RS256: ForgingKey; readonly ES256: ForgingKey; readonly EdDSA: ForgingKey }
  /** Published by the issuer with `use: enc`. */
  readonly encryptionKey: ForgingKey
  /** Published by another trusted issuer, not by this one. Its token names this issuer. */
  readonly foreignKey: ForgingKey
}

export interface BadToken {
  readonly name: string
  token(): string
  /** The reason by which the verifier must refuse it. */
  readonly reason: string
}

/** Claims of a good human token. */
export function goodClaims(context: TokenContext): Record<string, unknown> {
  const now = context.now()
  return {
    iss: context.issuer,
    aud: context.audience,
    sub: 'alice',
    sid: 'session-1',
    jti: 'token-1',
    plane: 'human',
    scope: 'accounts:read',
    iat: now,
    exp: now + 300,
  }
}

export function goodHeader(key: ForgingKey): Record<string, unknown> {
  return { alg: key.alg, typ: 'at+jwt', kid: key.kid }
}

/** Tokens that each have exactly one fault. Every one must be refused with `credential-invalid`, and nothing forwarded. */
export function badTokens(context: TokenContext): BadToken[] {
  return [...encodingAttacks(context), ...headerAttacks(context), ...signatureAttacks(context), ...claimAttacks(context)]
}
