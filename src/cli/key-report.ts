import type { ApiKeyRecord } from '../ports/credential-store.ts'
import { textTable } from './table.ts'

/** How a key stands: `rotating` still works but has a successor and an end. */
export type KeyState = 'active' | 'rotating' | 'expired' | 'revoked'

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
    createdAt: timeText(record.createdAt),
    expiresAt: timeText(record.expiresAt),
    revokedAt: timeText(record.revokedAt),
    replacedBy: record.replacedBy,
  }
}

export function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

/** A new key for the operator's eyes, once. */
export function describeNewKey(key: string, record: ApiKeyRecord): string {
  const lines = [
    'This is the only time that the key is shown:',
    '',
    `  ${key}`,
    '',
    `id        ${record.id}`,
    `owner     ${record.owner}`,
    `scopes    ${record.scopes.join(' ') || 'none'}`,
    `networks  ${record.cidrs.join(' ') || 'any'}`,
    `expires   ${timeText(record.expiresAt) ?? 'never'}`,
  ]
  return `${lines.join('\n')}\n`
}

/** All keys as a table. */
export function describeKeys(records: readonly ApiKeyRecord[], now: number): string {
  if (records.length === 0) return 'There are no API keys.\n'
  const rows = records.map((record) => [
    record.id,
    keyState(record, now),
    timeText(record.expiresAt) ?? 'never',
    record.owner,
    record.scopes.join(' '),
    record.cidrs.join(' '),
  ])
  return textTable(['ID', 'STATE', 'EXPIRES', 'OWNER', 'SCOPES', 'NETWORKS'], rows)
}
