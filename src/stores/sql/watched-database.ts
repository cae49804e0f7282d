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
