import { hash } from 'node:crypto'
import type { Principal } from '../../domain/credential.ts'
import type { CredentialPlane } from '../../domain/plane.ts'
import type { Provider } from '../../domain/provider.ts'
import {
  audienceClaim,
  claimAt,
  expiryClaim,
  isBlank,
  placeClaim,
  rolesClaim,
  scopesClaim,
  textClaim,
  timeClaim,
} from './claim-values.ts'
import { TokenRejection } from './token-rejection.ts'

type Claims = Readonly<Record<string, unknown>>

/**
 * Who the claims of a token with a genuine signature speak for, as far as their provider may say so at this moment. Checks everything
 * after the signature: audience, times, sender constraint, required claims, types of values, plane. Does not look at revocation.
 * `now` in milliseconds since the epoch, `maxLifetime` in milliseconds. Throws `TokenRejection`.
 */
export function readPrincipal(
  claims: Claims,
  provider: Provider,
  now: number,
  credentialId: string,
  maxLifetime: number,
): Principal {
  checkAudience(claims, provider)
  const { expiresAt, issuedAt } = checkTimes(claims, provider, now)
  checkLifetime(claims, provider, now, maxLifetime)
  // RFC 7800: the token belongs to the holder of a key, and that the presenter holds it was not shown.
  if (claims.cnf !== undefined) throw new TokenRejection('sender-constrained')
  const blank = provider.requiredClaims.some((name) => isBlank(claimAt(claims, name)))
  if (blank) throw new TokenRejection('required-claim-missing')
  const mapping = provider.claims
  const subject = textClaim(claims, mapping.subject, 'subject')
  if (subject === null) throw new TokenRejection('subject-missing')
  const plane = planeOf(claims, provider)
  const session = textClaim(claims, mapping.session, 'session')
  return Object.freeze({
    kind: 'jwt',
    plane,
    actor: plane === 'HUMAN' ? 'human' : 'service',
    issuer: provider.issuer,
    subject,
    credentialId,
    session,
    // An issuer is a URL and holds no line end, so that no two pairs give one text.
    sessionDigest: session === null ? null : hash('sha256', `${provider.issuer}\n${session}`, 'hex'),
    tokenId: textClaim(claims, 'jti', 'token-id'),
    issuedAt,
    expiresAt,
    scopes: scopesClaim(claims, mapping.scopes),
    roles: rolesClaim(claims, mapping.roles),
    account: placeClaim(claims, mapping.account, 'account'),
    team: placeClaim(claims, mapping.team, 'team'),
    clientId: textClaim(claims, 'client_id', 'client-id') ?? textClaim(claims, 'azp', 'client-id'),
    delegation: delegationOf(claims),
    claims,
  })
}

function checkAudience(claims: Claims, { audiences }: Provider): void {
  if (!audienceClaim(claims).some((audience) => audiences.includes(audience))) throw new TokenRejection('audience-unknown')
}

/** Times with the provider's clock skew on both sides. `expiresAt` is when the token is dead even so, in seconds. */
function checkTimes(claims: Claims, { clockSkew }: Provider, now: number): { expiresAt: number; issuedAt: number | null } {
  const exp = expiryClaim(claims)
  if (now >= exp * 1000 + clockSkew) throw new TokenRejection('expired')
  const latest = now + clockSkew
  const nbf = timeClaim(claims, 'nbf')
  if (nbf !== null && nbf * 1000 > latest) throw new TokenRejection('not-yet-valid')
  const iat = timeClaim(claims, 'iat')
  if (iat !== null && iat * 1000 > latest) throw new TokenRejection('issued-in-the-future')
  // Rounded down: a revocation of everything issued before some second then covers the whole second.
  return { expiresAt: exp + Math.floor(clockSkew / 1000), issuedAt: iat === null ? null : Math.floor(iat) }
}

/**
 * Revocations are forgotten after the longest life of a token, so none may live longer; the clock skew counts on both sides. A token that does not say when
 * it was issued is measured from now: it is refused while it has longer to live, and believed later.
 */
function checkLifetime(claims: Claims, { clockSkew }: Provider, now: number, maxLifetime: number): void {
  const exp = expiryClaim(claims)
  const iat = timeClaim(claims, 'iat')
  const life = iat === null ? exp * 1000 + clockSkew - now : (exp - iat) * 1000 + 2 * clockSkew
  if (life > maxLifetime) throw new TokenRejection('lifetime-too-long')
}

/** The side that a token's claims put it on, as its provider declares. Throws `TokenRejection`. */
export function planeOf(claims: Claims, { plane }: Provider): CredentialPlane {
  if ('fixed' in plane) return plane.fixed
  const value = claimAt(claims, plane.claim)
  const human = typeof value === 'string' && plane.human.includes(value)
  const machine = typeof value === 'string' && plane.machine.includes(value)
  if (human === machine) throw new TokenRejection('plane-undecided')
  return human ? 'HUMAN' : 'MACHINE'
}

/** `act` (RFC 8693 section 4.1). */
function delegationOf({ act }: Claims): Claims | null {
  if (act === undefined) return null
  if (typeof act !== 'object' || act === null || Array.isArray(act)) throw new TokenRejection('delegation-invalid')
  return act as Claims
}
