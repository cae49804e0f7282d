import type { StatementSync } from 'node:sqlite'
import type { Kysely } from 'kysely'
import type { AuditLog } from '../../ports/audit-log.ts'
import type { Clock } from '../../ports/clock.ts'
import { type ChangeRow, changeOf } from './change-row.ts'
import type { Database } from './open-database.ts'
import { storeFailure } from './store-failure.ts'
import type { Tables } from './tables.ts'
import type { WatchedDatabase } from './watched-database.ts'

/** Records that share one `fdatasync`. */
const MOST_AT_ONCE = 100
const RETRY_MS = 1_000
/** Milliseconds that a stop waits for the disk. What is not recorded by then is recorded by the next start. */
const LAST_TRY_MS = 1_000

export interface ChangeOutboxOptions {
  readonly clock: Clock
  readonly watched: WatchedDatabase
  readonly auditLog: Pick<AuditLog, 'appendChange'>
  readonly events: ChangeOutboxEvents
}

export interface ChangeOutboxEvents {
  /** Once at the beginning of each time in which changes cannot be recorded. */
  failed(error: unknown): void
  restored(): void
}

/**
 * Takes the records of changes that were kept with the changes, by this process or any other, to the audit log, in order. A row is marked only after its
 * record is on disk, so none is lost when the process dies in between; the next start then records it again, with the same `changeId`.
 */
export class ChangeOutbox {
  readonly #kysely: Kysely<Tables>
  readonly #options: ChangeOutboxOptions
  readonly #unrecorded: StatementSync
  /** In the audit log, and not yet marked: not to be appended again because marking failed. */
  readonly #recorded = new Set<string>()
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null
  #retry: NodeJS.Timeout | undefined
  #failed = false
  #closed = false

  constructor(db: Database, options: ChangeOutboxOptions) {
    const { kysely } = db
    this.#kysely = kysely
    this.#options = options
    const query = kysely.selectFrom('changes').selectAll().where('recorded_at', 'is', null).orderBy('number').limit(1)
    this.#unrecorded = options.watched.reader.prepare(query.compile().sql)
    let seen = Number.NaN
    options.watched.watch.listen((generation) => {
      if (generation !== seen) this.#recordSoon()
      seen = generation
    })
    this.#recordSoon()
  }

  /** Resolves once the records of all changes so far are on disk. Rejects when they cannot be written now; waits for as long as the audit log does. */
  settled(): Promise<void> {
    if (this.#running === null) return this.#run()
    // The run under way may have looked before the newest change was made.
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = null
        return this.#run()
      })
    return this.#next
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_TRY_MS)
    })
    await Promise.race([this.settled().catch(() => {}), late])
    clearTimeout(timer)
  }

  #recordSoon(): void {
    if (this.#closed || this.#next !== null) return
    // A failure is reported and tried again by the run itself.
    this.settled().catch(() => {})
  }

  #run(): Promise<void> {
    clearTimeout(this.#retry)
    this.#running = this.#drain()
      .then(
        () => this.#succeeded(),
        (error: unknown) => this.#gaveUp(error),
      )
      .finally(() => {
        this.#running = null
      })
    return this.#running
  }

  #succeeded(): void {
    if (this.#failed) this.#options.events.restored()
    this.#failed = false
  }

  #gaveUp(error: unknown): never {
    if (!this.#failed) this.#options.events.failed(error)
    this.#failed = true
    if (!this.#closed) this.#retry = setTimeout(() => this.#recordSoon(), RETRY_MS).unref()
    throw error
  }

  async #drain(): Promise<void> {
    for (;;) {
      const rows = this.#read()
      if (rows.length === 0) return
      const fresh = rows.filter((row) => !this.#recorded.has(row.change_id))
      const appended = await Promise.allSettled(fresh.map((row) => this.#append(row)))
      await this.#mark()
      for (const result of appended) if (result.status === 'rejected') throw result.reason
    }
  }

  #read(): ChangeRow[] {
    try {
      return this.#unrecorded.all(MOST_AT_ONCE) as unknown as ChangeRow[]
    } catch (error) {
      throw storeFailure(error)
    }
  }

  async #append(row: ChangeRow): Promise<void> {
    await this.#options.auditLog.appendChange(changeOf(row))
    this.#recorded.add(row.change_id)
  }

  async #mark(): Promise<void> {
    if (this.#recorded.size === 0) return
    const ids = [...this.#recorded]
    try {
      await this.#kysely
        .updateTable('changes')
        .set({ recorded_at: this.#options.clock.now() })
        .where('change_id', 'in', ids)
        .where('recorded_at', 'is', null)
        .execute()
    } catch (error) {
      throw storeFailure(error)
    }
    for (const id of ids) this.#recorded.delete(id)
  }
}
