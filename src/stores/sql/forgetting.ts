import type { Kysely } from 'kysely'
import { advanceCounter } from './counters.ts'
import type { Tables } from './tables.ts'

/** Rows deleted in one transaction: other writers wait for no longer than a few milliseconds. */
const MOST_AT_ONCE = 500

/** Deletes some revocations whose time is over, and counts them. True when there may be more. `now` in milliseconds since the epoch. */
export function forgetRevocations(db: Kysely<Tables>, now: number): Promise<boolean> {
  return db.transaction().execute(async (transaction) => {
    const ended = transaction
      .selectFrom('revocations')
      .select('number')
      .where('until', '<=', now)
      .orderBy('until')
      .limit(MOST_AT_ONCE)
    const { numDeletedRows } = await transaction.deleteFrom('revocations').where('number', 'in', ended).executeTakeFirst()
    const deleted = Number(numDeletedRows)
    if (deleted > 0) await advanceCounter(transaction, 'revocations-forgotten', deleted)
    return deleted === MOST_AT_ONCE
  })
}

/** Deletes some changes that were in the audit log before `before` (milliseconds since the epoch). True when there may be more. */
export async function forgetChanges(db: Kysely<Tables>, before: number): Promise<boolean> {
  const recorded = db
    .selectFrom('changes')
    .select('number')
    .where('recorded_at', '<=', before)
    .orderBy('recorded_at')
    .limit(MOST_AT_ONCE)
  const { numDeletedRows } = await db.deleteFrom('changes').where('number', 'in', recorded).executeTakeFirst()
  return Number(numDeletedRows) === MOST_AT_ONCE
}
