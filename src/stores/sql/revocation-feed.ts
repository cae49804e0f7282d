import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Compilable, Kysely } from 'kysely'
import type { RecordedRevocation } from '../../domain/revocation.ts'
import { integer } from './counters.ts'
import { type RevocationRow, recordedRevocationOf } from './revocation-row.ts'
import type { Tables } from './tables.ts'

/** Where a reader stands: the last revocation that it has read. */
export interface Position {
  readonly number: number
  /** null: it has read none. */
  readonly last: { readonly id: string; readonly until: number } | null
}

export const BEGINNING: Position = { number: 0, last: null }

/** Revocations in the order of their numbers, on a connection that only reads. Throws whatever the driver throws, and for unreadable rows. */
export class RevocationFeed {
  readonly #reader: DatabaseSync
  readonly #counter: StatementSync
  readonly #rows: StatementSync
  readonly #at: StatementSync
  readonly #count: StatementSync

  constructor(reader: DatabaseSync, db: Kysely<Tables>) {
    const prepare = (query: Compilable) => reader.prepare(query.compile().sql)
    this.#reader = reader
    this.#counter = prepare(db.selectFrom('counters').select('value').where('name', '=', ''))
    this.#rows = prepare(db.selectFrom('revocations').selectAll().where('number', '>', 0).orderBy('number').limit(1))
    this.#at = prepare(db.selectFrom('revocations').select('id').where('number', '=', 0))
    this.#count = prepare(db.selectFrom('revocations').select(({ fn }) => fn.countAll().as('count')))
  }

  /** Hands on the next revocations after a position, at most `most`, and gives the new position. */
  read(from: Position, most: number, take: (recorded: RecordedRevocation) => void): { position: Position; more: boolean } {
    let position = from
    let read = 0
    for (const row of this.#rows.iterate(from.number, most)) {
      const recorded = recordedRevocationOf(row as RevocationRow)
      take(recorded)
      position = { number: integer(row.number), last: { id: recorded.id, until: recorded.until } }
      read += 1
    }
    return { position, more: read === most }
  }

  /**
   * Whether the database no longer holds what was read up to a position, because it was put back to an earlier state. `now` in milliseconds since the
   * epoch: a row whose time is over may be missing.
   */
  diverged({ number, last }: Position, now: number): boolean {
    if (this.#valueOf('revocations') < number) return true
    if (last === null) return false
    const row = this.#at.get(number)
    return row === undefined ? now < last.until : row.id !== last.id
  }

  /** How many rows were deleted by other hands than the gateways', which count what they forget. Takes time with the number of rows. */
  missing(): number {
    this.#reader.exec('begin')
    try {
      return this.#valueOf('revocations') - this.#valueOf('revocations-forgotten') - integer(this.#count.get()?.count)
    } finally {
      this.#reader.exec('commit')
    }
  }

  #valueOf(counter: string): number {
    return integer(this.#counter.get(counter)?.value)
  }
}
