import { createPublicKey, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Provider } from '../domain/provider.ts'
import { developmentKey, replaceFile } from './development-key.ts'
import { keyIdOf, type PublicJwks } from './identity-keys.ts'

export interface DevelopmentIssuerOptions {
  /** Where its key lives; made if need be. */
  readonly folder: string
  /** `iss` of its tokens. */
  readonly issuer: string
  /** `aud` of its tokens where nothing else is asked for, and the one that is accepted. */
  readonly audience: string
}

/** Where the development issuer of a gateway lives and what it calls itself. */
export function developmentIssuerOptions({
  file,
  publicOrigin,
}: {
  readonly file: string
  readonly publicOrigin: string
}): DevelopmentIssuerOptions {
  return { folder: join(dirname(file), 'data'), issuer: `${publicOrigin}/development`, audience: publicOrigin }
}

/** What a development token says. Claims beside these are given as they are. */
export interface DevelopmentClaims {
  readonly sub: string
  readonly plane: 'human' | 'machine'
  readonly [claim: string]: unknown
}

/** Signs tokens for trying things out. Must exist in `environment: development` only; whoever opens one has to check that. */
export interface DevelopmentIssuer {
  /** The provider to declare beside the configured ones. */
  readonly provider: Provider
  jwks(): PublicJwks
  /** A signed token (RFC 9068). `ttl` in milliseconds; `now` in milliseconds since the epoch. `claims` win over the usual ones. */
  sign(claims: DevelopmentClaims, options?: { ttl?: number; now?: number; audience?: string }): string
}

const HOUR = 3_600_000
const CLAIMS = { subject: 'sub', session: 'sid', scopes: 'scope', roles: 'roles', account: 'account_id', team: 'team_id' }

/**
 * Opens the built-in issuer: an Ed25519 key in `development-issuer.pem`, made at first use, and its public key set in
 * `development-issuer.jwks.json` beside it, from which the gateway verifies as it does for any provider. Throws `DevelopmentKeyError`.
 */
export function openDevelopmentIssuer({ folder, issuer, audience }: DevelopmentIssuerOptions): DevelopmentIssuer {
  const privateKey = developmentKey(join(folder, 'development-issuer.pem'))
  const publicKey = createPublicKey(privateKey)
  const kid = keyIdOf(publicKey)
  const { crv = '', x = '' } = publicKey.export({ format: 'jwk' })
  const jwks: PublicJwks = { keys: [{ kty: 'OKP', crv, x, kid, alg: 'EdDSA', use: 'sig' }] }
  publish(publishedKeys(folder), `${JSON.stringify(jwks)}\n`)
  const header = encode({ alg: 'EdDSA', typ: 'at+jwt', kid })
  return {
    provider: developmentProvider({ folder, issuer, audience }),
    jwks: () => jwks,
    sign(claims, options = {}) {
      const iat = Math.floor((options.now ?? Date.now()) / 1000)
      const exp = iat + Math.ceil((options.ttl ?? HOUR) / 1000)
      const input = `${header}.${encode({ iss: issuer, aud: options.audience ?? audience, iat, exp, jti: randomUUID(), ...claims })}`
      return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`
    },
  }
}

/** The provider by itself: makes no key, and so believes no token before there is one. */
export function developmentProvider({ folder, issuer, audience }: DevelopmentIssuerOptions): Provider {
  return {
    name: 'development',
    issuer,
    plane: { claim: 'plane', human: ['human'], machine: ['machine'] },
    audiences: [audience],
    algorithms: ['EdDSA'],
    keys: { from: 'file', path: publishedKeys(folder) },
    types: ['at+jwt', 'JWT'],
    clockSkew: 30_000,
    requiredClaims: ['sub'],
    claims: CLAIMS,
    source: 'development.issuer',
  }
}

function publishedKeys(folder: string): string {
  return join(folder, 'development-issuer.jwks.json')
}

/** Written only when it differs, so that a folder that became read-only still serves. */
function publish(path: string, content: string): void {
  if (readOrNull(path) !== content) replaceFile(path, content)
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
