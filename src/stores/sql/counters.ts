import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

export type CounterName = 'changes' | 'revocations' | 'revocations-forgotten'

/** Adds to a counter and gives what it stands at then. Inside a transaction: the row is locked until it ends. */
export async function advanceCounter(transaction: Kysely<Tables>, name: CounterName, by = 1): Promise<number> {
  const { value } = await transaction
    .updateTable('counters')
    .set((row) => ({ value: row('value', '+', by) }))
    .where('name', '=', name)
    .returning('value')
    .executeTakeFirstOrThrow()
  return integer(value)
}

/** A BIGINT: a number, or digits where the driver gives text. Throws for anything else. */
export function integer(value: unknown): number {
  const number = typeof value === 'string' && /^-?[0-9]+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw new TypeError('not an integer')
  return number
}
