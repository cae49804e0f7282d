import type { Clock } from '../../ports/clock.ts'
import type { ApiKeyRecord, CredentialRegistry, CredentialStore } from '../../ports/credential-store.ts'
import { apiKeyRegistry, lookupSql } from './api-key-registry.ts'
import { recordOf, sameRecord } from './api-key-row.ts'
import { BoundedCache } from './bounded-cache.ts'
import type { Database } from './open-database.ts'
import { storeFailure } from './store-failure.ts'
import type { ApiKeysTable } from './tables.ts'
import { type WatchedDatabase, watchDatabase } from './watched-database.ts'

export interface SqlCredentialStoreOptions {
  readonly clock: Clock
  /** Shared with others that follow the database, and closed by whoever opened it. Absent: one of its own. */
  readonly watched?: WatchedDatabase
  /** Most records kept in memory, about 700 bytes each. */
  readonly maxKnown?: number
  /** Most ids remembered as unknown, about 100 bytes each. */
  readonly maxUnknown?: number
}

export interface SqlCredentialStore extends CredentialStore, CredentialRegistry {
  findApiKey(id: string): ApiKeyRecord | null
  /** Throws `store-unavailable` when keys cannot be looked up now; for readiness. */
  check(): void
  /** What is held in memory, and how many look-ups reached the database. */
  usage(): { readonly known: number; readonly unknown: number; readonly lookups: number }
  close(): void
}

type Row = Readonly<Record<keyof ApiKeysTable, unknown>>

/** A record and when it was read. */
interface Remembered {
  readonly record: ApiKeyRecord
  readonly generation: number
}

/**
 * API keys in a SQL database, for requests and for administrators. A request is answered from memory while nothing changed; after a change
 * by anyone each key is read once more, and its record object stays the same if the row does. Unknown ids are remembered apart, so that a
 * flood of them pushes out no known key. Reads on a connection of its own that cannot write and sees nothing uncommitted.
 */
export function sqlCredentialStore(db: Database, options: SqlCredentialStoreOptions): SqlCredentialStore {
  const known = new BoundedCache<Remembered>(options.maxKnown ?? 131_072)
  const unknown = new BoundedCache<number>(options.maxUnknown ?? 16_384)
  const watched = options.watched ?? watchDatabase(db, options.clock)
  const { watch } = watched
  const readRow = rowReader(db, watched, options.watched === undefined)
  let lookups = 0

  function lookUp(id: string, generation: number, before: Remembered | undefined): ApiKeyRecord | null {
    lookups += 1
    const row = readRow(id)
    if (row === undefined) {
      known.delete(id)
      unknown.set(id, generation)
      return null
    }
    const read = recordOf(row)
    const record = before !== undefined && sameRecord(before.record, read) ? before.record : read
    known.set(record.id, { record, generation })
    return record
  }

  return {
    ...apiKeyRegistry(db.kysely, { clock: options.clock, watch }),
    findApiKey(id) {
      const generation = watch.generation()
      const remembered = known.get(id)
      if (remembered !== undefined && remembered.generation === generation) return remembered.record
      if (unknown.get(id) === generation) return null
      return lookUp(id, generation, remembered)
    },
    check() {
      watch.generation()
      readRow('')
    },
    usage: () => ({ known: known.size, unknown: unknown.size, lookups }),
    close() {
      if (options.watched === undefined) watched.close()
    },
  }
}

function rowReader(db: Database, watched: WatchedDatabase, own: boolean): (id: string) => Row | undefined {
  try {
    const lookup = watched.reader.prepare(lookupSql(db.kysely))
    return (id) => {
      try {
        return lookup.get(id) as Row | undefined
      } catch (error) {
        throw storeFailure(error)
      }
    }
  } catch (error) {
    if (own) watched.close()
    throw storeFailure(error)
  }
}
