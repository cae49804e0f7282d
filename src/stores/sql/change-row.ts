import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { ChangeAction, ChangeRecord } from '../../domain/change-record.ts'
import { advanceCounter } from './counters.ts'
import type { ChangesTable, Tables } from './tables.ts'

/** Keeps the audit record of a change in the transaction that makes it: there is never one without the other. `now` in milliseconds since the epoch. */
export async function writeChange(
  transaction: Kysely<Tables>,
  change: Pick<ChangeRecord, 'by' | 'what'> & { readonly action: ChangeAction; readonly now: number },
): Promise<void> {
  const number = await advanceCounter(transaction, 'changes')
  await transaction
    .insertInto('changes')
    .values({
      number,
      change_id: randomUUID(),
      time: new Date(change.now).toISOString(),
      action: change.action,
      by: change.by,
      what: JSON.stringify(change.what),
      recorded_at: null,
    })
    .execute()
}

export type ChangeRow = Pick<ChangesTable, 'change_id' | 'time' | 'action' | 'by' | 'what'>

/** A row as an audit record. One that another version wrote, or that somebody damaged, is recorded as it stands: evidence is not held back for its form. */
export function changeOf(row: ChangeRow): ChangeRecord {
  return { changeId: row.change_id, time: row.time, action: row.action, by: row.by, what: whatOf(row.what) }
}

function whatOf(text: string): ChangeRecord['what'] {
  try {
    const what: unknown = JSON.parse(text)
    if (typeof what === 'object' && what !== null && !Array.isArray(what)) return what as ChangeRecord['what']
  } catch {
    // Told below.
  }
  return { unreadable: text }
}
