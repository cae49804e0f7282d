import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import type { TokenAlgorithm } from '../../domain/provider.ts'

/** One public key that may verify signatures. The same object for as long as the key set lists the same key. */
export interface VerificationKey {
  /** The `kid`; for a key without one the first 16 hex digits of the SHA-256 of its SPKI. */
  readonly id: string
  readonly kid: string | null
  readonly algorithms: readonly TokenAlgorithm[]
  readonly publicKey: KeyObject
  /** Equal for two keys exactly when everything above is. */
  readonly fingerprint: string
}

interface Family {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly crv?: string
  /** The members that make the public key; no other member of a JWK is ever imported. */
  readonly members: readonly string[]
  readonly algorithms: readonly TokenAlgorithm[]
}

const EC_MEMBERS = ['crv', 'x', 'y']

const FAMILIES: readonly Family[] = [
  { kty: 'RSA', members: ['n', 'e'], algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] },
  { kty: 'EC', crv: 'P-256', members: EC_MEMBERS, algorithms: ['ES256'] },
  { kty: 'EC', crv: 'P-384', members: EC_MEMBERS, algorithms: ['ES384'] },
  { kty: 'EC', crv: 'P-521', members: EC_MEMBERS, algorithms: ['ES512'] },
  { kty: 'OKP', crv: 'Ed25519', members: ['crv', 'x'], algorithms: ['EdDSA', 'Ed25519'] },
]

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const MIN_RSA_BITS = 2048
/** Above it one verification costs milliseconds. */
const MAX_RSA_BITS = 8192
const MAX_KID_LENGTH = 256

/** EdDSA (RFC 8037) and Ed25519 (RFC 9864) are one algorithm under two names. */
export function equivalentAlgorithms(algorithm: TokenAlgorithm): readonly TokenAlgorithm[] {
  return algorithm === 'EdDSA' || algorithm === 'Ed25519' ? ['EdDSA', 'Ed25519'] : [algorithm]
}

/** Why a key of a set is not used. `other-use`: it is fine, but not for signatures that are accepted here. */
export type KeyFault = 'not-a-key' | 'kid-invalid' | 'secret-published' | 'other-use' | 'too-weak' | 'malformed'

/**
 * One member of a JWK set (RFC 7517 section 4) as a key that may verify, or why not. Only public, asymmetric signature keys: a
 * published private or shared key is known to everyone and verifies nothing.
 */
export function readVerificationKey(jwk: unknown): VerificationKey | KeyFault {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return 'not-a-key'
  const members = jwk as Readonly<Record<string, unknown>>
  if (members.kty === 'oct' || PRIVATE_MEMBERS.some((name) => members[name] !== undefined)) return 'secret-published'
  const { kid } = members
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH)) return 'kid-invalid'
  const family = FAMILIES.find(({ kty, crv }) => members.kty === kty && (crv === undefined || members.crv === crv))
  if (family === undefined) return 'other-use'
  const algorithms = algorithmsOf(members, family)
  if (algorithms.length === 0) return 'other-use'
  const publicKey = importPublic(members, family)
  if (typeof publicKey === 'string') return publicKey
  const spki = hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'hex')
  const fingerprint = JSON.stringify([kid ?? null, spki, algorithms])
  return { id: kid ?? spki.slice(0, 16), kid: kid ?? null, algorithms, publicKey, fingerprint }
}

/** What `use`, `key_ops` and `alg` leave of the family's algorithms (RFC 7517 sections 4.2 to 4.4). */
function algorithmsOf({ use, key_ops, alg }: Readonly<Record<string, unknown>>, family: Family): readonly TokenAlgorithm[] {
  if (use !== undefined && use !== 'sig') return []
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes('verify'))) return []
  if (alg === undefined) return family.algorithms
  const named = family.algorithms.find((algorithm) => algorithm === alg)
  return named === undefined ? [] : equivalentAlgorithms(named)
}

function importPublic(jwk: Readonly<Record<string, unknown>>, family: Family): KeyObject | KeyFault {
  const key: Record<string, string> = { kty: family.kty }
  for (const member of family.members) {
    const value = jwk[member]
    if (typeof value !== 'string') return 'malformed'
    key[member] = value
  }
  try {
    const publicKey = createPublicKey({ key, format: 'jwk' })
    return family.kty === 'RSA' && !isSoundRsa(publicKey) ? 'too-weak' : publicKey
  } catch {
    return 'malformed'
  }
}

/** RFC 7518 section 3.3 asks for 2048 bits. An exponent of 1 would make every message its own signature. */
function isSoundRsa(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  return modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS && publicExponent >= 3n && publicExponent % 2n === 1n
}
