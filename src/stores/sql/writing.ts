import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../ports/clock.ts'
import type { ChangeWatch } from './change-watch.ts'
import { storeFailure } from './store-failure.ts'
import type { Tables } from './tables.ts'

/** What those who write share. */
export interface Writing {
  readonly clock: Clock
  /** Confirms that the database is still the one at its path, and is told after a write, also one that failed. null: nobody follows it here. */
  readonly watch: Pick<ChangeWatch, 'confirm' | 'changed'> | null
}

/**
 * One transaction, all or nothing. A database that was deleted or replaced is not written to: what went into it would be gone with the process. Throws
 * `store-unavailable`.
 */
export async function writing<T>(
  db: Kysely<Tables>,
  { watch }: Writing,
  write: (transaction: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  try {
    watch?.confirm()
    return await db.transaction().execute(write)
  } catch (error) {
    throw storeFailure(error)
  } finally {
    watch?.changed()
  }
}
