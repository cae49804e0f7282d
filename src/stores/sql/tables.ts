import type { ColumnType } from 'kysely'

/** BIGINT: a number from SQLite, decimal text from PostgreSQL, whose driver will not round. New ones are written as numbers. */
type Bigint = ColumnType<number | string, number, number | string>
type NullableBigint = ColumnType<number | string | null, number | null, number | string | null>

/** Times in milliseconds since the epoch; lists as JSON text. */
export interface ApiKeysTable {
  id: string
  digest: string
  owner: string
  scopes: string
  cidrs: string
  created_at: Bigint
  expires_at: NullableBigint
  revoked_at: NullableBigint
  replaced_by: string | null
}

/** `value`: the session, token id, subject or credential id. `issuer` null: every issuer. */
export interface RevocationsTable {
  number: Bigint
  id: string
  kind: string
  issuer: string | null
  value: string
  /** Seconds since the epoch; only of a subject. */
  issued_up_to: NullableBigint
  at: Bigint
  until: Bigint
  by: string
}

/** Audit records that go to the audit log and stay here until they are in it. */
export interface ChangesTable {
  number: Bigint
  change_id: string
  /** RFC 3339. */
  time: string
  action: string
  by: string
  /** JSON. */
  what: string
  /** When it was known to be in the audit log; null: not yet. */
  recorded_at: NullableBigint
}

/** Numbers that never go back. */
export interface CountersTable {
  name: string
  value: Bigint
}

/** The newest checkpoint of each audit log. */
export interface AuditAnchorTable {
  /** The log's name. */
  origin: string
  /** Lines that it covers. */
  size: Bigint
  /** The signed note. */
  note: string
  updated_at: Bigint
}

export interface Tables {
  api_keys: ApiKeysTable
  revocations: RevocationsTable
  changes: ChangesTable
  counters: CountersTable
  audit_anchor: AuditAnchorTable
}
