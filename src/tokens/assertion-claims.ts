import type { Principal } from '../domain/credential.ts'

/** What an assertion says beside the principal itself. Times in seconds since the epoch. */
export interface AssertionFrame {
  readonly issuer: string
  readonly audience: string
  readonly issuedAt: number
  readonly expiresAt: number
  readonly id: string
  /** Names of the token's claims that travel under `ext`. */
  readonly forwardClaims: readonly string[]
}

/**
 * The claims of an identity assertion, in the order in which they are documented. What is not known is absent; `scope` is always there.
 * Nothing of the credential itself goes in: neither its text nor its digest nor its signature nor its own `jti`.
 */
export function assertionClaims(principal: Principal, frame: AssertionFrame): Record<string, unknown> {
  const claims: Record<string, unknown> = {
    iss: frame.issuer,
    aud: frame.audience,
    sub: principal.subject,
    iat: frame.issuedAt,
    exp: frame.expiresAt,
    jti: frame.id,
    plane: principal.plane,
    actor: principal.actor,
  }
  if (principal.issuer !== null) claims.idp = principal.issuer
  claims.scope = principal.scopes.join(' ')
  if (principal.session !== null) claims.sid = principal.session
  if (principal.roles.length > 0) claims.roles = principal.roles
  if (principal.account !== null) claims.account_id = principal.account
  if (principal.team !== null) claims.team_id = principal.team
  const clientId = clientIdOf(principal)
  if (clientId !== null) claims.client_id = clientId
  if (principal.delegation !== null) claims.act = principal.delegation
  const ext = forwarded(principal, frame.forwardClaims)
  if (ext !== null) claims.ext = ext
  return claims
}

/** The client of a token, or the id of an API key. The id is public; the digest that a token has in its place stays here. */
function clientIdOf({ kind, clientId, credentialId }: Principal): string | null {
  return kind === 'api-key' ? (clientId ?? credentialId) : clientId
}

/** Own properties only, and defined rather than assigned: a claim may be called `constructor` or `__proto__`. */
function forwarded({ claims }: Principal, names: readonly string[]): Record<string, unknown> | null {
  const known = names.filter((name) => Object.hasOwn(claims, name))
  return known.length === 0 ? null : Object.fromEntries(known.map((name) => [name, claims[name]]))
}
