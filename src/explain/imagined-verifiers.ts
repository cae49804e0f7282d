import type { Principal } from '../domain/credential.ts'
import type { CredentialKind, CredentialPlane } from '../domain/plane.ts'
import type { Provider } from '../domain/provider.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Verification } from '../ports/verifier.ts'
import type { ReasonOf } from '../problem/reasons.ts'
import type { ImaginedCaller } from './imagined-caller.ts'

/** The secret that every imagined credential has. Any other one is judged by whoever judges real ones. */
const PLACEHOLDER = 'imagined'

/** The header that a credential of this kind is read from, with the placeholder in it. */
export function imaginedHeader(kind: CredentialKind, apiKeyHeader: string): readonly [name: string, value: string] {
  return kind === 'jwt' ? ['Authorization', `Bearer ${PLACEHOLDER}`] : [apiKeyHeader, PLACEHOLDER]
}

/** Verifiers that give this answer for the placeholder, and leave everything else to `others`. */
export function imaginedVerifiers(answer: () => Verification, others: Pipeline['verifiers']): Pipeline['verifiers'] {
  const over = (kind: CredentialKind): Pipeline['verifiers'][CredentialKind] => ({
    verify: (secret, inbound) => (secret === PLACEHOLDER ? answer() : others[kind].verify(secret, inbound)),
  })
  return { jwt: over('jwt'), 'api-key': over('api-key') }
}

/** Gives the plane that a provider reads from claims; null where they do not hold the claim that it reads. A word where they do not decide. */
export type PlaneByClaims = (
  claims: ImaginedCaller['claims'],
  provider: Provider,
) => { readonly plane: CredentialPlane } | { readonly reason: ReasonOf<'credential-invalid'> } | null

/**
 * What the real verifier would answer of this caller's credential, were it genuine: the issuer must be declared, and its provider decides the plane, by
 * `claims` where they hold what it reads. Audience, times and required claims are taken as given.
 */
export function imaginedVerification(
  caller: ImaginedCaller,
  providers: readonly Provider[],
  planeByClaims: PlaneByClaims,
): Verification {
  if (caller.kind === 'api-key') return { verified: true, principal: keyHolder(caller) }
  if (caller.issuer === null) return { verified: false, reason: 'issuer-missing' }
  const provider = providers.find(({ issuer }) => issuer === caller.issuer)
  if (provider === undefined) return { verified: false, reason: 'issuer-unknown' }
  const decided = 'fixed' in provider.plane ? { plane: provider.plane.fixed } : planeByClaims(caller.claims, provider)
  if (decided !== null && 'reason' in decided) return { verified: false, reason: decided.reason }
  return { verified: true, principal: tokenHolder(caller, decided?.plane ?? caller.plane) }
}

const NOTHING = {
  session: null,
  sessionDigest: null,
  tokenId: null,
  issuedAt: null,
  expiresAt: null,
  account: null,
  team: null,
  clientId: null,
  delegation: null,
}

/** What an API key never has is left out, whatever the caller says. */
function keyHolder({ subject, scopes }: ImaginedCaller): Principal {
  return {
    ...NOTHING,
    kind: 'api-key',
    plane: 'MACHINE',
    actor: 'service',
    issuer: null,
    subject,
    credentialId: 'imagined',
    scopes,
    roles: [],
    claims: {},
  }
}

/** The actor of a token follows its plane: no token says that it is an agent's. */
function tokenHolder(caller: ImaginedCaller, plane: CredentialPlane): Principal {
  const { issuer, subject, scopes, roles, claims } = caller
  return {
    ...NOTHING,
    kind: 'jwt',
    plane,
    actor: plane === 'HUMAN' ? 'human' : 'service',
    issuer,
    subject,
    credentialId: 'imagined',
    scopes,
    roles,
    claims,
  }
}
