import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
  type JWTVerifyGetKey,
} from 'jose'
import { IdentityError } from './identity-error.ts'

export interface KeySetOptions {
  /** Public address of the gateway, or of its key set when it ends in `.json`. */
  readonly gateway?: string
  /** Fixed keys instead of fetched ones. They do not follow a rotation. */
  readonly jwks?: JSONWebKeySet
  /** Milliseconds after which the keys are fetched anew; an unknown key is looked for at once. Default 10 minutes. */
  readonly keysMaxAge?: number
  /** Milliseconds for one fetch. Default 5 s. */
  readonly keysTimeout?: number
  /** Allows `http:` for a gateway that is not on this machine. Whoever sits between can then sign as the gateway. */
  readonly insecureHttp?: boolean
}

/** How long keys that were good go on being used while no new ones can be had. Milliseconds. */
const STALE_FOR = 3_600_000
/** Pause after a fetch before one more is made for a key id that is not in the set, or because the last one failed. Milliseconds. */
const COOLDOWN = 5_000
const UNREACHABLE = 'the keys of the gateway cannot be fetched'

/**
 * Where the verifier gets keys from. Fetched when first needed, through one request at a time; redirects are not followed.
 * Its answers: a key, a jose error (the assertion names no key of the gateway), or `IdentityError` `keys-unavailable` (nobody can tell).
 */
export function keySet(options: KeySetOptions): JWTVerifyGetKey {
  if (options.jwks !== undefined) return createLocalJWKSet(options.jwks)
  const remote = createRemoteJWKSet(keySetAddress(options), {
    cooldownDuration: COOLDOWN,
    cacheMaxAge: options.keysMaxAge ?? 600_000,
    timeoutDuration: options.keysTimeout ?? 5_000,
  })
  let goodUntil = Number.NEGATIVE_INFINITY
  let pauseUntil = Number.NEGATIVE_INFINITY
  return async (header, token) => {
    const last = Date.now() < goodUntil ? remote.jwks() : undefined
    // With keys at hand, requests do not each wait for a gateway that just failed to answer.
    if (last !== undefined && Date.now() < pauseUntil) return lastGood(last, header, token)
    try {
      const key = await remote(header, token)
      if (remote.fresh) goodUntil = Date.now() + STALE_FOR
      return key
    } catch (error) {
      if (namesNoKey(error)) throw error
      pauseUntil = Date.now() + COOLDOWN
      if (last === undefined) throw new IdentityError('keys-unavailable', UNREACHABLE, { cause: error })
      return lastGood(last, header, token, error)
    }
  }
}

/** An unreachable gateway is no reason to forget keys that were good; but a key that is not among them may be a new one. */
async function lastGood(
  jwks: JSONWebKeySet,
  header: JWSHeaderParameters,
  token: FlattenedJWSInput,
  cause?: unknown,
): Promise<CryptoKey> {
  try {
    return await createLocalJWKSet(jwks)(header, token)
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) throw new IdentityError('keys-unavailable', UNREACHABLE, { cause })
    throw error
  }
}

function namesNoKey(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}

function keySetAddress({ gateway, insecureHttp = false }: KeySetOptions): URL {
  if (gateway === undefined) throw new TypeError('give `gateway` (its public address) or `jwks` (a key set)')
  const url = new URL(gateway)
  if (!url.pathname.endsWith('.json')) url.pathname = `${url.pathname.replace(/\/+$/, '')}/.well-known/jwks.json`
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && (local || insecureHttp))) {
    throw new TypeError(
      `\`gateway\` must be https: (http: only on this machine, or with \`insecureHttp: true\`), not ${url.protocol}//${url.host}`,
    )
  }
  return url
}
