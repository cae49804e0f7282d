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

export interface Tables {
  api_keys: ApiKeysTable
}
