import type { Gateway } from '../config/gateway.ts'
import type { Clock } from '../ports/clock.ts'
import type { CredentialStore } from '../ports/credential-store.ts'
import type { RevocationList } from '../ports/revocation-list.ts'
import { openReadOnly, type ReadOnlyDatabase } from '../stores/sql/read-only-database.ts'
import { sqlCredentialStore } from '../stores/sql/sql-credential-store.ts'
import { SqlRevocationStore } from '../stores/sql/sql-revocation-store.ts'
import { sqlitePath } from '../stores/sql/sqlite-file.ts'
import { watchDatabase } from '../stores/sql/watched-database.ts'

/** What a gateway knows of its database, looked at and not touched. */
export interface ExploredStore {
  readonly credentials: CredentialStore
  readonly revocations: RevocationList
  /** What it is, in words. */
  readonly text: string
  readonly notes: readonly string[]
  close(): Promise<void>
}

/** No file means no keys and no revocations. Throws `DatabaseUnusable` and `store-unavailable` where there is one that cannot be read. */
export async function exploreStore({ stores, revocation }: Gateway, clock: Clock): Promise<ExploredStore> {
  const { url } = stores.database
  const database = await openReadOnly(url)
  if (database === null) {
    const note = `There is no database at ${sqlitePath(url)}: no API key is known, and nothing is revoked.`
    return { ...EMPTY, text: 'an empty database (there is no file yet)', notes: [note], close: async () => {} }
  }
  try {
    return await explored(database, clock, revocation)
  } catch (error) {
    await database.close()
    throw error
  }
}

const EMPTY: Pick<ExploredStore, 'credentials' | 'revocations'> = {
  credentials: { findApiKey: () => null },
  revocations: { revoked: () => null },
}

async function explored(database: ReadOnlyDatabase, clock: Clock, revocation: Gateway['revocation']): Promise<ExploredStore> {
  const watched = watchDatabase(database, clock)
  try {
    const list = database.has('revocations') ? await SqlRevocationStore.open(database, { clock, watched, ...revocation }) : null
    const behind = ['api_keys' as const, 'revocations' as const].filter((table) => !database.has(table))
    return {
      credentials: database.has('api_keys') ? sqlCredentialStore(database, { clock, watched }) : EMPTY.credentials,
      revocations: list ?? EMPTY.revocations,
      text: `the database ${database.path} (${list?.size ?? 0} revocations in force)`,
      notes: behind.map((table) => `The database is of an older version and has no table ${table} yet: it counts as empty.`),
      async close() {
        watched.close()
        await database.close()
      },
    }
  } catch (error) {
    watched.close()
    throw error
  }
}
