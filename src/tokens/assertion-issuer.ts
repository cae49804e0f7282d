import { randomUUID } from 'node:crypto'
import type { Principal } from '../domain/credential.ts'
import type { Route } from '../domain/route.ts'
import type { Assertion, AssertionIssuer } from '../ports/assertion-issuer.ts'
import type { Clock } from '../ports/clock.ts'
import { Refusal } from '../problem/refusal.ts'
import { assertionClaims } from './assertion-claims.ts'
import { compactJwsWriter, type JwsWriter } from './compact-jws.ts'
import type { IdentityKeys } from './identity-keys.ts'

const ASSERTION_TYPE = 'planegate-identity+jwt'
const TRANSACTION_TYPE = 'txntoken+jwt'
const TRANSACTION_HEADER = 'Txn-Token'

/** Characters of the whole header value. Half of what Node takes for all headers of a request by default. */
export const MAX_ASSERTION_LENGTH = 8192

export interface AssertionOptions {
  readonly keys: Pick<IdentityKeys, 'current'>
  /** Name of the header; ignored where `binding` is `request`. Default `X-Planegate-Assertion`. */
  readonly header?: string
  /** `iss` of what is signed. */
  readonly issuer: string
  /** Longest life in milliseconds; counted in whole seconds, at least one. */
  readonly ttlMs: number
  /** `session`: one assertion per credential and upstream, repeated until half its life. `request`: a Txn-Token for every request. */
  readonly binding: 'session' | 'request'
  /** Names of further claims of the client's token, passed on under `ext`. */
  readonly forwardClaims: readonly string[]
  /** Every upstream that a route may name, for its `aud`. */
  readonly upstreams: Iterable<{ readonly name: string; readonly audience: string }>
  readonly clock: Clock
  /** Makes `jti`. Default: random UUIDs. */
  readonly newId?: () => string
}

/** One signed assertion and when it was made. Times in milliseconds since the epoch. */
interface Signed extends Assertion {
  readonly upstream: string
  readonly signedAt: number
  readonly renewAt: number
}

/**
 * Signs the identity that an upstream receives. Answers at once, without a promise. Does not ask whether the principal may do what it
 * wants: that is decided before. Another key, audience or life takes a new issuer.
 *
 * A value above `MAX_ASSERTION_LENGTH` is refused as `internal`, not with a 4xx: the client's own request was within every limit, the
 * client cannot shorten what its issuer and `identity.forwardClaims` put in, and the operator who can has to hear of it.
 */
export function createAssertionIssuer(options: AssertionOptions): AssertionIssuer {
  const sign = signer(options)
  return options.binding === 'request' ? perRequest(sign) : perSession(sign, options.clock)
}

/** draft-ietf-oauth-transaction-tokens: bound to one method and route, never used twice. */
function perRequest(sign: Signer): AssertionIssuer {
  return { issue: (principal, route, method) => sign(principal, route, { method, route: route.id }) }
}

function perSession(sign: Signer, clock: Clock): AssertionIssuer {
  // Held by the principal, so an assertion never outlives the verified credential that it speaks for. A list and not a Map: a principal
  // seldom meets more than two upstreams, and there are very many principals.
  const kept = new WeakMap<Principal, readonly Signed[]>()
  return {
    issue(principal, route) {
      const now = clock.now()
      const known = kept.get(principal) ?? []
      for (const signed of known) {
        // A clock that was set back would otherwise keep an assertion for longer than its ttl.
        if (signed.upstream === route.upstream && now < signed.renewAt && now >= signed.signedAt) return signed
      }
      const fresh = sign(principal, route)
      kept.set(principal, [...known.filter((signed) => signed.upstream !== fresh.upstream), fresh])
      return fresh
    },
  }
}

type Signer = (principal: Principal, route: Route, transaction?: { readonly method: string; readonly route: string }) => Signed

function signer(options: AssertionOptions): Signer {
  const { keys, issuer, clock, forwardClaims, newId = randomUUID } = options
  const header = options.binding === 'request' ? TRANSACTION_HEADER : (options.header ?? 'X-Planegate-Assertion')
  const type = options.binding === 'request' ? TRANSACTION_TYPE : ASSERTION_TYPE
  const write = compactJwsWriter(keys.current, type, MAX_ASSERTION_LENGTH)
  const audiences = new Map(Array.from(options.upstreams, ({ name, audience }) => [name, audience]))
  const ttl = Math.max(1, Math.floor(options.ttlMs / 1000))

  return (principal, route, transaction) => {
    const { upstream } = route
    const audience = upstream === null ? undefined : audiences.get(upstream)
    if (upstream === null || audience === undefined) throw new Refusal('internal', 'upstream-without-audience')
    const signedAt = clock.now()
    const issuedAt = Math.floor(signedAt / 1000)
    const end = principal.expiresAt === null ? Number.POSITIVE_INFINITY : Math.floor(principal.expiresAt)
    const expiresAt = Math.min(issuedAt + ttl, end)
    if (expiresAt * 1000 <= signedAt) throw new Refusal('credential-invalid', 'expired')

    const id = newId()
    const claims = assertionClaims(principal, { issuer, audience, issuedAt, expiresAt, id, forwardClaims })
    const value = bounded(write, transaction === undefined ? claims : { ...claims, txn: id, tctx: transaction })
    // Near the credential's own end a newer assertion would live no longer than this one, so this one is used up.
    const renewAt = expiresAt === end ? end * 1000 : signedAt + (expiresAt * 1000 - signedAt) / 2
    return { header, value, upstream, signedAt, renewAt }
  }
}

function bounded(write: JwsWriter, claims: object): string {
  const value = write(claims)
  if (value === null) throw new Refusal('internal', 'assertion-too-large')
  return value
}
