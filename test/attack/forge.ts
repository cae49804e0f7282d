import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import type { TokenAlgorithm } from '../../src/domain/provider.ts'

/** A private key, what its issuer calls it, and the algorithm it signs with. */
export interface ForgingKey {
  readonly kid: string
  readonly alg: TokenAlgorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

interface Scheme {
  readonly hash: string | null
  readonly options?: object
  readonly pair: () => { privateKey: KeyObject; publicKey: KeyObject }
}

const PSS = { padding: 6, saltLength: -1 }
const P1363 = { dsaEncoding: 'ieee-p1363' }
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = (namedCurve: string) => () => generateKeyPairSync('ec', { namedCurve })
const ed25519 = () => generateKeyPairSync('ed25519')

const SCHEMES: Readonly<Record<TokenAlgorithm, Scheme>> = {
  RS256: { hash: 'sha256', pair: rsa },
  RS384: { hash: 'sha384', pair: rsa },
  RS512: { hash: 'sha512', pair: rsa },
  PS256: { hash: 'sha256', options: PSS, pair: rsa },
  PS384: { hash: 'sha384', options: PSS, pair: rsa },
  PS512: { hash: 'sha512', options: PSS, pair: rsa },
  ES256: { hash: 'sha256', options: P1363, pair: ec('P-256') },
  ES384: { hash: 'sha384', options: P1363, pair: ec('P-384') },
  ES512: { hash: 'sha512', options: P1363, pair: ec('P-521') },
  EdDSA: { hash: null, pair: ed25519 },
  Ed25519: { hash: null, pair: ed25519 },
}

export function forgingKey(alg: TokenAlgorithm, kid: string = randomUUID()): ForgingKey {
  return { kid, alg, ...SCHEMES[alg].pair() }
}

/** The public key as an issuer publishes it. */
export function publicJwk(key: ForgingKey, members: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...key.publicKey.export({ format: 'jwk' }), kid: key.kid, alg: key.alg, use: 'sig', ...members }
}

/** Base64url of text, bytes, or of a value as JSON. */
export function part(content: string | Uint8Array | object): string {
  const bytes = typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content)
  return Buffer.from(bytes as string).toString('base64url')
}

/** A token with a genuine signature over whatever header and payload are given, `alg` of the header notwithstanding. */
export function forged(key: ForgingKey, header: string | Uint8Array | object, payload: string | Uint8Array | object): string {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${signature(key, input).toString('base64url')}`
}

/** Signs text as the key's algorithm does in JOSE (RFC 7518 section 3). */
export function signature(key: ForgingKey, input: string, options: object = {}): Buffer {
  const scheme = SCHEMES[key.alg]
  return sign(scheme.hash, Buffer.from(input), { key: key.privateKey, ...scheme.options, ...options })
}

/** A token with a shared-secret signature. */
export function macToken(alg: 'HS256' | 'HS384' | 'HS512', secret: string | Uint8Array, header: object, payload: object): string {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(input)
    .digest('base64url')}`
}
