import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const ISSUER = 'https://id.bench.example'
export const AUDIENCE = 'https://api.bench.example'
/** Seconds that a token lives: longer than any run. */
const LIFE = 6 * 3600

export type Algorithm = 'RS256' | 'ES256'

/** An issuer of tokens with one key. */
export interface Issuer {
  readonly algorithm: Algorithm
  /** The key set, for whoever reads JWKS. */
  readonly jwksFile: string
  /** The public key, for whoever reads PEM. */
  readonly publicKeyFile: string
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>
  /** A token with the same claims whose signature another key made. */
  forged(): Promise<string>
}

export function openIssuer(folder: string, algorithm: Algorithm): Issuer {
  const { publicKey, privateKey } = keyPair(algorithm)
  const stranger = keyPair(algorithm).privateKey
  const kid = `bench-${algorithm.toLowerCase()}`
  const jwksFile = join(folder, `${kid}.jwks.json`)
  const publicKeyFile = join(folder, `${kid}.pem`)
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' }
  writeFileSync(jwksFile, JSON.stringify({ keys: [jwk] }))
  writeFileSync(publicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }))
  return {
    algorithm,
    jwksFile,
    publicKeyFile,
    token: (claims = {}) => signed({ alg: algorithm, typ: 'at+jwt', kid }, { ...usualClaims(), ...claims }, privateKey),
    forged: () => signed({ alg: algorithm, typ: 'at+jwt', kid }, usualClaims(), stranger),
  }
}

/** `count` tokens of different sessions and subjects. Signed on all cores at once, because RS256 takes its time. */
export async function manyTokens(issuer: Issuer, count: number, prefix = 'user'): Promise<string[]> {
  const tokens: string[] = []
  for (let first = 0; first < count; first += 256) {
    const batch = Array.from({ length: Math.min(256, count - first) }, (_, index) => {
      const number = first + index
      return issuer.token({ sub: `${prefix}_${number}`, sid: `sess_${prefix}_${number}`, jti: `jti_${prefix}_${number}` })
    })
    tokens.push(...(await Promise.all(batch)))
  }
  return tokens
}

/** What a session token of a usual identity provider says. */
export function usualClaims(): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'user_2bQkF7Lw0Zt3xXcVn9',
    sid: 'sess_2bQkFAb1c2D3e4F5g6',
    jti: 'jti_2bQkFAb1c2D3e4F5g6',
    iat: now,
    nbf: now,
    exp: now + LIFE,
    scope: 'things:read things:write',
    roles: ['viewer'],
  }
}

function keyPair(algorithm: Algorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  return algorithm === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function signed(header: object, claims: object, key: KeyObject): Promise<string> {
  const input = `${encoded(header)}.${encoded(claims)}`
  return new Promise((resolve, reject) => {
    sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, (error, signature) => {
      if (error === null) resolve(`${input}.${signature.toString('base64url')}`)
      else reject(error)
    })
  })
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
