import { errors, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose'
import { type Carried, type HeaderSource, readAssertion } from './assertion-header.ts'
import type { IdentityContext } from './identity-context.ts'
import { IdentityError } from './identity-error.ts'
import { type KeySetOptions, keySet } from './key-set.ts'
import { identityFrom } from './verified-identity.ts'
import { verifiedLately } from './verified-lately.ts'

export interface IdentityVerifierOptions extends KeySetOptions {
  /** Expected `iss`: the gateway's `identity.issuer`. Default: `gateway` as written, where it is an address without a path. */
  readonly issuer?: string
  /** Expected `aud`: the `audience` of this service in the gateway's `upstreams`. */
  readonly audience: string
  /** The gateway's `identity.header`. Default `X-Planegate-Assertion`. `Txn-Token` is always understood. */
  readonly header?: string
  /** Seconds that the clocks of gateway and service may differ. Default 5. */
  readonly clockTolerance?: number
  /** How many verified assertions are remembered until they expire; 0: none. Default 1000. */
  readonly cacheSize?: number
  /** The present in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

export interface IdentityVerifier {
  /**
   * Who the request is for, by the gateway's signature. Takes a request (plain Node, Express, Fastify, Fetch) or its headers.
   * Rejects with `IdentityError` and nothing else.
   */
  verify(source: HeaderSource): Promise<IdentityContext>
}

/** What the gateway may sign with; `none` and shared secrets are not among them. */
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'RS256']

/**
 * Verifies the identity that the gateway signed. Makes no request until the first assertion comes.
 *
 * An assertion that was verified is remembered by its text until it expires, since the gateway repeats it within a session; a key that is
 * withdrawn therefore counts for at most the life of an assertion (a minute by default) longer. A Txn-Token is never remembered, and
 * whether one was seen before is not checked.
 *
 * @throws TypeError for options that would leave something unchecked
 */
export function createIdentityVerifier(options: IdentityVerifierOptions): IdentityVerifier {
  const { header = 'X-Planegate-Assertion', clockTolerance = 5, now = Date.now } = options
  const keys = keySet(options)
  const expected = {
    issuer: mustBeText('issuer', options.issuer ?? originOf(options.gateway)),
    audience: mustBeText('audience', options.audience),
    algorithms: ALGORITHMS,
    clockTolerance,
    requiredClaims: ['iss', 'aud', 'sub', 'iat', 'exp', 'jti'],
  }
  const known = verifiedLately<IdentityContext>(options.cacheSize ?? 1000, now)
  return {
    async verify(source) {
      const { text, transaction } = assertionIn(source, header)
      const remembered = transaction ? undefined : known.find(text)
      if (remembered !== undefined) return remembered
      const typ = transaction ? 'txntoken+jwt' : 'planegate-identity+jwt'
      const identity = await verified(text, keys, { ...expected, typ, currentDate: new Date(now()) })
      if (!transaction) known.keep(text, identity, identity.expiresAt.getTime() + clockTolerance * 1000)
      return identity
    },
  }
}

/** Whoever is not checked by a compiler may hand over anything, `undefined` above all. */
function assertionIn(source: HeaderSource, header: string): Carried {
  try {
    return readAssertion(source, header)
  } catch (error) {
    if (error instanceof IdentityError) throw error
    throw new IdentityError('identity-invalid', 'neither a request nor its headers were given')
  }
}

async function verified(text: string, keys: JWTVerifyGetKey, expected: JWTVerifyOptions): Promise<IdentityContext> {
  try {
    const { payload, protectedHeader } = await jwtVerify(text, keys, expected)
    // Without a key id the choice of key would rest on the algorithm alone.
    if (typeof protectedHeader.kid !== 'string') throw new TypeError('"kid" is missing')
    return identityFrom(payload)
  } catch (error) {
    if (error instanceof IdentityError) throw error
    // jose's errors carry the claims, so they are not passed on as a cause; their messages name a claim and never quote it.
    const message = error instanceof Error ? error.message : 'unreadable'
    throw new IdentityError(error instanceof errors.JWTExpired ? 'identity-expired' : 'identity-invalid', message)
  }
}

/** The default issuer: what is configured for both is usually the same public origin. */
function originOf(gateway: string | undefined): string | undefined {
  if (gateway === undefined) return undefined
  const { origin, pathname } = new URL(gateway)
  return pathname === '/' ? origin : undefined
}

/** jose leaves unchecked what is undefined. */
function mustBeText(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new TypeError(`\`${name}\` must be given: an assertion made for somebody else would be believed without it`)
}
