import { timeText } from '../domain/timestamp.ts'
import type { ApiKeyRecord } from '../ports/credential-store.ts'

/** How a key stands: `rotating` still works but has a successor and an end. */
export type KeyState = 'active' | 'rotating' | 'expired' | 'revoked'

export const KEY_STATES: readonly KeyState[] = ['active', 'rotating', 'expired', 'revoked']

export function keyState(record: ApiKeyRecord, now: number): KeyState {
  if (record.revokedAt !== null) return 'revoked'
  if (record.expiresAt !== null && now >= record.expiresAt) return 'expired'
  return record.replacedBy === null ? 'active' : 'rotating'
}

/** What may be shown of a key, as JSON: never its digest. Times as RFC 3339. */
export function keyFacts(record: ApiKeyRecord, now: number) {
  return {
    id: record.id,
    owner: record.owner,
    state: keyState(record, now),
    scopes: record.scopes,
    cidrs: record.cidrs,
    createdAt: timeText(record.createdAt) ?? '',
    expiresAt: timeText(record.expiresAt),
    revokedAt: timeText(record.revokedAt),
    replacedBy: record.replacedBy,
  }
}
