import { JsonRejection, parseStrictJson } from './strict-json.ts'
import { TokenRejection } from './token-rejection.ts'

/** What a signed token says of itself before anything in it is believed. */
export interface CompactToken {
  readonly header: TokenHeader
  readonly claims: Readonly<Record<string, unknown>>
}

export interface TokenHeader {
  readonly alg: string
  /** null: the header names no key. */
  readonly kid: string | null
  /** Lower case, without `application/` (RFC 7515 section 4.1.9); null: the header names no type. */
  readonly type: string | null
}

/**
 * Header parameters that no token needs here and that have each been a way in: `crit` and `b64` change how the rest is read (RFC 7797),
 * `jku`, `x5u`, `x5c` and `jwk` bring or fetch the attacker's own key, `zip` inflates, `cty` announces a token inside the token, and the
 * others belong to encryption (RFC 7516, PBES2 counts included).
 */
const FORBIDDEN = [
  'crit',
  'b64',
  'jku',
  'x5u',
  'x5c',
  'jwk',
  'zip',
  'cty',
  'enc',
  'epk',
  'apu',
  'apv',
  'iv',
  'tag',
  'p2s',
  'p2c',
] as const

const MAX_KID_LENGTH = 256

/**
 * Reads the compact form of a signed token (RFC 7515 section 7.1). Looks at shape and header only: no issuer, no key, no signature, no
 * claim is checked here. The token's length must be bounded before. Throws `TokenRejection`.
 */
export function readCompactToken(token: string): CompactToken {
  const [header, payload, signature, ...more] = token.split('.', 6)
  if (more.length === 2) throw new TokenRejection('token-encrypted')
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw new TokenRejection('token-not-three-parts')
  }
  decodeCanonical(signature)
  const parameters = readObject(header, 'header')
  return { header: readHeader(parameters), claims: readObject(payload, 'claims') }
}

/** Base64url in its only spelling: no padding, no other alphabet, unused bits zero. With two spellings one token had two digests. */
function decodeCanonical(part: string): Uint8Array {
  const bytes = Buffer.from(part, 'base64url')
  if (part === '' || bytes.toString('base64url') !== part) throw new TokenRejection('token-not-base64url')
  return bytes
}

function readObject(part: string, what: 'header' | 'claims'): Readonly<Record<string, unknown>> {
  const bytes = decodeCanonical(part)
  try {
    return parseStrictJson(bytes)
  } catch (error) {
    if (error instanceof JsonRejection)
      throw new TokenRejection(what === 'header' ? `header-${error.reason}` : `claims-${error.reason}`)
    throw error
  }
}

function readHeader(parameters: Readonly<Record<string, unknown>>): TokenHeader {
  for (const name of FORBIDDEN) {
    if (parameters[name] !== undefined) throw new TokenRejection(`header-has-${name}`)
  }
  const { alg, kid, typ } = parameters
  if (typeof alg !== 'string') throw new TokenRejection('algorithm-missing')
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH))
    throw new TokenRejection('kid-invalid')
  if (typ !== undefined && typeof typ !== 'string') throw new TokenRejection('type-invalid')
  return { alg, kid: kid ?? null, type: typ === undefined ? null : foldType(typ) }
}

/** A `typ` value as it is compared: `application/at+jwt` and `AT+JWT` are `at+jwt`. */
export function foldType(type: string): string {
  const lower = type.toLowerCase()
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower
}
