import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../ports/clock.ts'
import { Refusal } from '../../problem/refusal.ts'
import { type ChangeWatch, watchChanges } from './change-watch.ts'
import type { Database } from './open-database.ts'
import { storeFailure } from './store-failure.ts'

/** A connection that only reads, sees nothing uncommitted, and knows when something changed. One for everything that follows the database. */
export interface WatchedDatabase {
  readonly reader: DatabaseSync
  readonly watch: ChangeWatch
  close(): void
}

/** Throws `store-unavailable`. */
export function watchDatabase(db: Database, clock: Clock): WatchedDatabase {
  const reader = db.openReader()
  try {
    const watch = watchChanges(changeProbe(reader, db.path), clock)
    return {
      reader,
      watch,
      close() {
        watch.stop()
        if (reader.isOpen) reader.close()
      },
    }
  } catch (error) {
    reader.close()
    throw storeFailure(error)
  }
}

/**
 * `data_version` differs after every commit by another connection (sqlite.org/pragma.html#pragma_data_version). A file that was deleted or
 * put in the place of the open one would be changed unseen, so the path must still lead to the file that is open; the same holds for the write-ahead log
 * and its index, through which other processes' commits are seen (sqlite.org/walformat.html). A file that is overwritten in place is not noticed.
 */
function changeProbe(reader: DatabaseSync, path: string): () => number {
  const version = reader.prepare('pragma data_version')
  const known = new Map<string, string>()
  const isSame = (file: string) => {
    const found = statSync(file, { throwIfNoEntry: false })
    const identity = found === undefined ? '' : `${found.dev} ${found.ino}`
    // The log and its index come with the first transaction; from then on they stay as long as this connection does.
    if (!known.has(file) && identity !== '') known.set(file, identity)
    return known.get(file) === undefined || known.get(file) === identity
  }
  return () => {
    if (!isSame(path) || known.get(path) === undefined) throw new Refusal('store-unavailable', 'database-replaced')
    const now = Number(version.get()?.data_version)
    if (!isSame(`${path}-wal`) || !isSame(`${path}-shm`)) throw new Refusal('store-unavailable', 'database-replaced')
    return now
  }
}
