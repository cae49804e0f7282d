import type { SigningKey } from './identity-keys.ts'

/** Signs a claim set. null: the result would be too long. */
export type JwsWriter = (claims: object) => string | null

/**
 * A writer of compact JWS (RFC 7515 section 3.1) of at most `maxLength` characters. The protected header is the same for every one, so it
 * is encoded once. Any Unicode in the claims survives: the payload is UTF-8, and `JSON.stringify` escapes lone surrogates.
 */
export function compactJwsWriter(key: SigningKey, typ: string, maxLength: number): JwsWriter {
  const header = Buffer.from(JSON.stringify({ alg: key.algorithm, typ, kid: key.kid })).toString('base64url')
  return (claims) => {
    const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
    // Asked before signing as well, so that an oversized claim set costs no signature.
    if (input.length >= maxLength) return null
    const jws = `${input}.${key.sign(input)}`
    return jws.length <= maxLength ? jws : null
  }
}
