import { DatabaseSync } from 'node:sqlite'
import { mintApiKey } from '../../src/stores/api-keys/format.ts'
import { rowOf } from '../../src/stores/sql/api-key-row.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { revocationRowOf } from '../../src/stores/sql/revocation-row.ts'
import { ISSUER } from './tokens.ts'

/** Milliseconds for which a revocation lasts. */
const KEPT = 30 * 86_400_000

/**
 * Fills a gateway's database before it starts, and gives the API keys. Rows are written as the administration writes them, but in one
 * transaction and without a record of each in the audit log: a million of those would take minutes and be no part of what is measured.
 */
export async function seed(url: string, counts: { revocations: number; apiKeys: number }): Promise<string[]> {
  const database = await openDatabase({ url, migrate: 'auto' })
  await database.close()
  const connection = new DatabaseSync(database.path)
  try {
    connection.exec('begin')
    const keys = addKeys(connection, counts.apiKeys)
    addRevocations(connection, counts.revocations)
    connection.exec('commit')
    return keys
  } finally {
    connection.close()
  }
}

function addKeys(connection: DatabaseSync, count: number): string[] {
  const now = Date.now()
  return Array.from({ length: count }, (_, number) => {
    const { id, key, digest } = mintApiKey('prod')
    const row = rowOf({
      id,
      digest,
      owner: `owner-${number}`,
      scopes: ['things:read'],
      cidrs: [],
      createdAt: now,
      expiresAt: null,
      revokedAt: null,
      replacedBy: null,
    })
    insert(connection, 'api_keys', row)
    return key
  })
}

function addRevocations(connection: DatabaseSync, count: number): void {
  const at = Date.now()
  for (let number = 1; number <= count; number += 1) {
    const revocation = { kind: 'session', issuer: ISSUER, session: `sess_revoked_${number}` } as const
    const row = revocationRowOf({ id: `bench-${number}`, revocation, at, until: at + KEPT, by: 'bench' })
    insert(connection, 'revocations', { number, ...row })
  }
  connection.prepare("update counters set value = ? where name = 'revocations'").run(count)
}

type Row = Readonly<Record<string, string | number | null | undefined>>
const statements = new WeakMap<DatabaseSync, Map<string, ReturnType<DatabaseSync['prepare']>>>()

function insert(connection: DatabaseSync, table: 'api_keys' | 'revocations', row: Row): void {
  const prepared = statements.get(connection) ?? new Map()
  statements.set(connection, prepared)
  const columns = Object.keys(row)
  let statement = prepared.get(table)
  if (statement === undefined) {
    const names = columns.map((column) => `"${column}"`)
    statement = connection.prepare(`insert into ${table} (${names}) values (${columns.map(() => '?')})`)
    prepared.set(table, statement)
  }
  statement.run(...columns.map((column) => row[column] ?? null))
}
