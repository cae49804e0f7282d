import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { ChangeAction, ChangeRecord } from '../../domain/change-record.ts'
import { Refusal } from '../../problem/refusal.ts'
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

const ACTIONS: ReadonlySet<string> = new Set<ChangeAction>(['key-created', 'key-rotated', 'key-revoked', 'revocation-added'])

export type ChangeRow = Pick<ChangesTable, 'change_id' | 'time' | 'action' | 'by' | 'what'>

/** Throws `store-unavailable` for a row that is not as this program writes it. */
export function changeOf(row: ChangeRow): ChangeRecord {
  try {
    if (!isAction(row.action)) throw new TypeError('not an action')
    const what: unknown = JSON.parse(row.what)
    if (typeof what !== 'object' || what === null || Array.isArray(what)) throw new TypeError('not an object')
    return { changeId: row.change_id, time: row.time, action: row.action, by: row.by, what: what as ChangeRecord['what'] }
  } catch (cause) {
    throw new Refusal('store-unavailable', 'record-unreadable', { cause })
  }
}

function isAction(text: string): text is ChangeAction {
  return ACTIONS.has(text)
}
