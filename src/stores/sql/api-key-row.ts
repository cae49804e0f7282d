import type { Insertable } from 'kysely'
import type { ApiKeyRecord } from '../../ports/credential-store.ts'
import { Refusal } from '../../problem/refusal.ts'
import { integer } from './counters.ts'
import type { ApiKeysTable } from './tables.ts'

export function rowOf(record: ApiKeyRecord): Insertable<ApiKeysTable> {
  return {
    id: record.id,
    digest: record.digest,
    owner: record.owner,
    scopes: JSON.stringify(record.scopes),
    cidrs: JSON.stringify(record.cidrs),
    created_at: record.createdAt,
    expires_at: record.expiresAt,
    revoked_at: record.revokedAt,
    replaced_by: record.replacedBy,
  }
}

/**
 * A row as a frozen record. Throws `store-unavailable` for a row that is not as this program writes it: a list or a time that cannot be
 * read must not count as "no restriction".
 */
export function recordOf(row: Readonly<Record<keyof ApiKeysTable, unknown>>): ApiKeyRecord {
  try {
    return Object.freeze({
      id: text(row.id),
      digest: text(row.digest),
      owner: text(row.owner),
      scopes: texts(row.scopes),
      cidrs: texts(row.cidrs),
      createdAt: integer(row.created_at),
      expiresAt: row.expires_at === null ? null : integer(row.expires_at),
      revokedAt: row.revoked_at === null ? null : integer(row.revoked_at),
      replacedBy: row.replaced_by === null ? null : text(row.replaced_by),
    })
  } catch (cause) {
    throw new Refusal('store-unavailable', 'record-unreadable', { cause })
  }
}

/** Whether two records say the same, so that the older object may stay in use. */
export function sameRecord(a: ApiKeyRecord, b: ApiKeyRecord): boolean {
  return (
    a.id === b.id &&
    a.digest === b.digest &&
    a.owner === b.owner &&
    a.createdAt === b.createdAt &&
    a.expiresAt === b.expiresAt &&
    a.revokedAt === b.revokedAt &&
    a.replacedBy === b.replacedBy &&
    sameTexts(a.scopes, b.scopes) &&
    sameTexts(a.cidrs, b.cidrs)
  )
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('not a text')
  return value
}

function texts(value: unknown): readonly string[] {
  const list: unknown = JSON.parse(text(value))
  if (!Array.isArray(list)) throw new TypeError('not a list')
  return list.length === 0 ? NONE : Object.freeze(list.map(text))
}

const NONE: readonly string[] = Object.freeze([])
