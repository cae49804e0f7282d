import { keyState } from '../admin/key-facts.ts'
import { timeText } from '../domain/timestamp.ts'
import type { ApiKeyRecord } from '../ports/credential-store.ts'
import { textTable } from './table.ts'

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
