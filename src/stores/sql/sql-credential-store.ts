import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../ports/clock.ts'
import type { ApiKeyRecord, CredentialRegistry, CredentialStore } from '../../ports/credential-store.ts'
import { Refusal } from '../../problem/refusal.ts'
import { apiKeyRegistry, lookupSql } from './api-key-registry.ts'
import { recordOf, sameRecord } from './api-key-row.ts'
import { BoundedCache } from './bounded-cache.ts'
import { type ChangeWatch, watchChanges } from './change-watch.ts'
import type { Database } from './open-database.ts'
import { storeFailure } from './store-failure.ts'
import type { ApiKeysTable } from './tables.ts'

export interface SqlCredentialStoreOptions {
  readonly clock: Clock
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
  const { reader, readRow, watch } = openRequestPath(db, options.clock)
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
    ...apiKeyRegistry(db.kysely, watch.changed),
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
      watch.stop()
      if (reader.isOpen) reader.close()
    },
  }
}

interface RequestPath {
  readonly reader: DatabaseSync
  readonly watch: ChangeWatch
  readRow(id: string): Row | undefined
}

function openRequestPath(db: Database, clock: Clock): RequestPath {
  const reader = db.openReader()
  try {
    const lookup = reader.prepare(lookupSql(db.kysely))
    return {
      reader,
      watch: watchChanges(changeProbe(reader, db.path), clock),
      readRow(id) {
        try {
          return lookup.get(id) as Row | undefined
        } catch (error) {
          throw storeFailure(error)
        }
      },
    }
  } catch (error) {
    reader.close()
    throw storeFailure(error)
  }
}

/**
 * `data_version` differs after every commit by another connection (sqlite.org/pragma.html#pragma_data_version). A file that was deleted or
 * put in the place of the open one would be changed unseen, so the path must still lead to the file that is open.
 */
function changeProbe(reader: DatabaseSync, path: string): () => number {
  const version = reader.prepare('pragma data_version')
  const { ino, dev } = statSync(path)
  return () => {
    const file = statSync(path, { throwIfNoEntry: false })
    if (file === undefined || file.ino !== ino || file.dev !== dev) throw new Refusal('store-unavailable', 'database-replaced')
    return Number(version.get()?.data_version)
  }
}
