import type { Principal } from '../domain/credential.ts'
import type { RevokedReason } from '../domain/revocation.ts'
import type { Clock } from '../ports/clock.ts'
import type { ApiKeyRecord } from '../ports/credential-store.ts'
import { Refusal } from '../problem/refusal.ts'

/** Why a credential that was good once no longer counts; null when it does. Throws when it cannot tell. */
export type Standing = (principal: Principal) => RevokedReason | KeyReason | null

/** `expired` is for tokens as well. */
type KeyReason = 'unknown-key' | 'revoked' | 'expired'

/** Answered from memory: thousands of open streams are asked about several times a second. */
export interface StandingSources {
  readonly clock: Clock
  readonly revocations: { revoked(principal: Principal): RevokedReason | null }
  readonly credentials: { findApiKey(id: string): ApiKeyRecord | null }
}

/**
 * Asks again what can change after a credential was verified: its end and its withdrawal. An API key goes by its record, because rotation moves its end.
 * Not asked again: signing keys, scopes, networks.
 */
export function credentialStanding({ clock, revocations, credentials }: StandingSources): Standing {
  return (principal) => {
    const reason = revokedReason(principal, revocations)
    if (reason !== null) return reason
    if (principal.kind === 'api-key') return keyReason(credentials.findApiKey(principal.credentialId), clock.now())
    return principal.expiresAt !== null && clock.now() >= principal.expiresAt * 1000 ? 'expired' : null
  }
}

function revokedReason(principal: Principal, revocations: StandingSources['revocations']): RevokedReason | null {
  try {
    return revocations.revoked(principal)
  } catch (cause) {
    throw cause instanceof Refusal ? cause : new Refusal('revocation-unavailable', 'list-failed', { cause })
  }
}

function keyReason(record: ApiKeyRecord | null, now: number): KeyReason | null {
  if (record === null) return 'unknown-key'
  if (record.revokedAt !== null) return 'revoked'
  return record.expiresAt !== null && now >= record.expiresAt ? 'expired' : null
}
