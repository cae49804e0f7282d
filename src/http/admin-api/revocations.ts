import { revocationFacts } from '../../admin/revocation-facts.ts'
import type { Revocation } from '../../domain/revocation.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RevocationRegistry } from '../../ports/revocation-registry.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Asked, Performers } from './operations.ts'

/** Revocations over HTTP. */
export function revocationPerformers(registry: RevocationRegistry, clock: Clock): Pick<Performers, 'revoke' | 'listRevocations'> {
  return {
    revoke: async ({ body, by }) => revocationFacts(await registry.revoke(revocationOf(body, clock.now()), by)),
    listRevocations: async () => ({ revocations: (await registry.listRevocations()).map(revocationFacts) }),
  }
}

function revocationOf(asked: Asked<'revoke'>['body'], now: number): Revocation {
  const { session, tokenId, subject, credentialId, issuer = null } = asked
  if (session !== undefined) return { kind: 'session', issuer, session }
  if (tokenId !== undefined) return { kind: 'token', issuer, tokenId }
  if (subject !== undefined) return { kind: 'subject', issuer, subject, issuedUpTo: Math.floor(now / 1000) }
  if (credentialId !== undefined) return { kind: 'credential', credentialId }
  throw new Refusal('internal', 'revocation-not-validated')
}
