import { hash } from 'node:crypto'
import { compactVerify, errors } from 'jose'
import type { Provider, TokenAlgorithm } from '../../domain/provider.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Verification, Verifier } from '../../ports/verifier.ts'
import { type CompactToken, foldType, readCompactToken, type TokenHeader } from './compact-token.ts'
import type { KeySet } from './key-set.ts'
import { readPrincipal } from './read-principal.ts'
import { TokenRejection } from './token-rejection.ts'
import { equivalentAlgorithms, type VerificationKey } from './verification-key.ts'
import { VerifiedTokens } from './verified-tokens.ts'

/** Characters. Nothing of a longer token is looked at, not even its digest. */
const MAX_TOKEN_LENGTH = 8192
const CACHE_SIZE = 10_000

export interface TokenVerifierOptions {
  readonly providers: readonly Provider[]
  /** One key set for each provider, by the provider's name. */
  readonly keySets: ReadonlyMap<string, KeySet>
  readonly clock: Clock
  /** Milliseconds: longer-lived tokens are refused. Absent: any life. */
  readonly maxLifetime?: number
  /** Verified tokens that are remembered. */
  readonly cacheSize?: number
  readonly onCache?: (result: 'hit' | 'miss') => void
}

/** Verifies bearer tokens of the declared providers. */
export interface TokenVerifier extends Verifier {
  verify(secret: string): Verification | Promise<Verification>
  /** Forgets what a key of a provider verified: those tokens are verified anew. Called by the key sets when they drop a key. */
  forgetKey(provider: string, keyId: string): void
  /** How many verified tokens are remembered. */
  readonly remembered: number
}

/** A provider as the request path needs it: nothing left to compute. */
interface TrustedIssuer {
  readonly provider: Provider
  readonly keySet: KeySet
  readonly algorithms: ReadonlyMap<string, TokenAlgorithm>
  readonly types: ReadonlySet<string>
}

/**
 * The verifier of JSON Web Tokens (RFC 7519; the checks follow RFC 8725 and RFC 9068 section 4). The provider is chosen by the exact
 * `iss`, the key by `kid` from that provider's set alone, and the algorithm must be one that the provider declares and the key allows.
 * A token that was verified is remembered until it expires or its key is dropped, and then answered without a promise. Refusals
 * are not remembered. Throws `keys-unavailable` where the keys cannot be had. Does not look at revocation.
 */
export function tokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { clock, onCache, maxLifetime = Number.POSITIVE_INFINITY } = options
  const issuers = trustedIssuers(options)
  const verified = new VerifiedTokens(options.cacheSize ?? CACHE_SIZE)
  const underWay = new Map<string, Promise<Verification>>()

  function verifyAnew(token: string, digest: string): Verification | Promise<Verification> {
    try {
      const compact = readCompactToken(token)
      const issuer = issuerOf(compact, issuers)
      const algorithm = algorithmOf(compact.header, issuer)
      const verification = verifyWith(issuer, algorithm, compact, token, digest)
        .catch((error: unknown) => refusedBecause(error, digest))
        .finally(() => underWay.delete(digest))
      underWay.set(digest, verification)
      return verification
    } catch (error) {
      return refusedBecause(error, digest)
    }
  }

  async function verifyWith(
    issuer: TrustedIssuer,
    algorithm: TokenAlgorithm,
    compact: CompactToken,
    token: string,
    digest: string,
  ): Promise<Verification> {
    const { keySet, provider } = issuer
    const key = await keySet.find(compact.header.kid, algorithm)
    if (typeof key === 'string') throw new TokenRejection(key)
    await checkSignature(token, key, compact.header.alg)
    const now = clock.now()
    const principal = readPrincipal(compact.claims, provider, now, digest, maxLifetime)
    // The key may have been dropped while the signature was checked; remembered now, it would never be dropped again.
    if (!keySet.trusts(key)) throw new TokenRejection('key-dropped')
    const verification: Verification = Object.freeze({ verified: true, principal })
    verified.put(digest, { verification, exp: compact.claims.exp as number, provider: provider.name, keySet, key }, now)
    return verification
  }

  return {
    verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) return { verified: false, reason: 'token-too-long' }
      const digest = hash('sha256', token, 'hex')
      const known = verified.get(digest, clock.now())
      onCache?.(known === undefined ? 'miss' : 'hit')
      return known ?? underWay.get(digest) ?? verifyAnew(token, digest)
    },
    forgetKey: (provider, keyId) => verified.forgetKey(provider, keyId),
    get remembered() {
      return verified.size
    },
  }

  function trustedIssuers({ providers, keySets }: TokenVerifierOptions): ReadonlyMap<string, TrustedIssuer> {
    const trusted = new Map<string, TrustedIssuer>()
    for (const provider of providers) {
      const keySet = keySets.get(provider.name)
      if (keySet === undefined) throw new TypeError(`the provider ${provider.name} has no key set`)
      if (trusted.has(provider.issuer)) throw new TypeError(`two providers have the issuer ${provider.issuer}`)
      keySet.whenDropped((keyId) => verified.forgetKey(provider.name, keyId))
      const algorithms = new Map(provider.algorithms.flatMap(equivalentAlgorithms).map((algorithm) => [algorithm, algorithm]))
      trusted.set(provider.issuer, { provider, keySet, algorithms, types: new Set(provider.types.map(foldType)) })
    }
    return trusted
  }
}

function issuerOf({ claims }: CompactToken, issuers: ReadonlyMap<string, TrustedIssuer>): TrustedIssuer {
  if (claims.iss === undefined) throw new TokenRejection('issuer-missing')
  const issuer = typeof claims.iss === 'string' ? issuers.get(claims.iss) : undefined
  if (issuer === undefined) throw new TokenRejection('issuer-unknown')
  return issuer
}

/** The declared algorithm that the header names. A missing `typ` counts as `JWT`: many issuers leave it out (RFC 7519 section 5.1). */
function algorithmOf({ alg, type }: TokenHeader, { types, algorithms }: TrustedIssuer): TokenAlgorithm {
  if (!types.has(type ?? 'jwt')) throw new TokenRejection('type-not-accepted')
  const algorithm = algorithms.get(alg)
  if (algorithm === undefined) throw new TokenRejection('algorithm-not-accepted')
  return algorithm
}

async function checkSignature(token: string, key: VerificationKey, algorithm: string): Promise<void> {
  try {
    // jose converts a key on first use and keeps the result for as long as the key object lives.
    await compactVerify(token, key.publicKey, { algorithms: [algorithm] })
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new TokenRejection('signature-invalid')
    throw error
  }
}

/** A token's own fault becomes an answer. Anything else goes on as an error, since it says nothing about the token. */
function refusedBecause(error: unknown, credentialId: string): Verification {
  if (error instanceof TokenRejection) return { verified: false, reason: error.reason, credentialId }
  throw error
}
