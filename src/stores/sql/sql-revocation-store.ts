import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Principal } from '../../domain/credential.ts'
import type { RecordedRevocation, Revocation, RevokedReason } from '../../domain/revocation.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RevocationList } from '../../ports/revocation-list.ts'
import type { RevocationRegistry } from '../../ports/revocation-registry.ts'
import type { ReasonOf } from '../../problem/reasons.ts'
import { Refusal } from '../../problem/refusal.ts'
import { MemoryRevocationList } from '../memory/revocation-list.ts'
import type { Database } from './open-database.ts'
import { BEGINNING, RevocationFeed } from './revocation-feed.ts'
import { revocationRegistry } from './revocation-registry.ts'
import { storeFailure, storeFault } from './store-failure.ts'
import type { WatchedDatabase } from './watched-database.ts'

/** Milliseconds after which a request asks for changes by itself, because the timer that should have is late. */
const PATIENCE_MS = 200
/** Revocations read in one go, about 10 ms: requests wait for no longer. */
const MOST_AT_ONCE = 5_000
/** Milliseconds between two counts of all rows. */
const COUNT_EVERY_MS = 1_000

export interface SqlRevocationStoreOptions {
  readonly clock: Clock
  readonly watched: WatchedDatabase
  /** Milliseconds that a revocation is kept: longer than any token lives that the gateway believes. */
  readonly retention: number
  /** Milliseconds for which changes may have been missed. */
  readonly maxStaleness: number
  /** What is answered after that: `deny` throws, `allow` goes by what was known last. */
  readonly onUnavailable: 'deny' | 'allow'
}

/**
 * Revocations in a SQL database, answered from memory. What another process revokes is read as soon as the watch sees a change; what is revoked here is
 * in force when `revoke` resolves. A database that was put back to an earlier state, or from which rows were deleted by hand, is read anew as a whole.
 */
export class SqlRevocationStore implements RevocationList, RevocationRegistry {
  readonly #options: SqlRevocationStoreOptions
  readonly #registry: RevocationRegistry
  readonly #feed: RevocationFeed
  #list: MemoryRevocationList
  #position = BEGINNING
  #missing = 0
  /** Generation of the watch whose changes are all in the list. */
  #followed = Number.NaN
  /** When changes were last asked for while none was left to read; monotonic. */
  #knownAt = Number.NEGATIVE_INFINITY
  #countedAt = Number.NEGATIVE_INFINITY
  #uncounted = false
  #reloading = false
  #failure: unknown

  private constructor(db: Database, options: SqlRevocationStoreOptions) {
    this.#options = options
    this.#registry = revocationRegistry(db.kysely, { ...options, watch: options.watched.watch })
    this.#feed = new RevocationFeed(options.watched.reader, db.kysely)
    this.#list = new MemoryRevocationList(options.clock)
  }

  /** Resolves when everything that is not forgotten is known. Throws `store-unavailable`, or `revocation-unavailable` for a row that it cannot read. */
  static async open(db: Database, options: SqlRevocationStoreOptions): Promise<SqlRevocationStore> {
    try {
      const store = new SqlRevocationStore(db, options)
      await store.#load()
      const { watch } = options.watched
      watch.listen((generation, askedAt) => store.#follow(generation, askedAt))
      watch.confirm()
      store.check()
      return store
    } catch (error) {
      throw storeFailure(error)
    }
  }

  /** Entries in memory. */
  get size(): number {
    return this.#list.size
  }

  revoked(principal: Principal): RevokedReason | null {
    if (this.#options.clock.monotonic() - this.#knownAt > Math.min(PATIENCE_MS, this.#options.maxStaleness)) this.#hurry()
    return this.#list.revoked(principal)
  }

  async revoke(revocation: Revocation, by: string): Promise<RecordedRevocation> {
    const recorded = await this.#registry.revoke(revocation, by)
    this.#list.revoke(revocation, recorded.until)
    return recorded
  }

  listRevocations(): Promise<RecordedRevocation[]> {
    return this.#registry.listRevocations()
  }

  /** Throws `revocation-unavailable` when it would refuse to answer; for readiness. */
  check(): void {
    if (this.#options.onUnavailable === 'allow' || this.staleness() <= this.#options.maxStaleness) return
    if (this.#failure === undefined) throw new Refusal('revocation-unavailable', 'list-behind')
    throw new Refusal('revocation-unavailable', failureOf(this.#failure), { cause: this.#failure })
  }

  /** Milliseconds since everything was known. */
  staleness(): number {
    return this.#options.clock.monotonic() - this.#knownAt
  }

  /** Frees memory of what has ended, a few entries at a time. */
  sweep(effort: number): void {
    this.#list.sweep(effort)
  }

  /** Asks now, and refuses when that did not help. */
  #hurry(): void {
    this.#ask()
    this.check()
  }

  /** Asks the watch, whose answer calls `#follow`. */
  #ask(): void {
    try {
      this.#options.watched.watch.confirm()
    } catch (error) {
      this.#failure = error
    }
  }

  #follow(generation: number, askedAt: number): void {
    if (this.#reloading) return
    try {
      const now = this.#options.clock.now()
      if (generation !== this.#followed && !this.#readOn(now)) return
      if (this.#uncounted && askedAt - this.#countedAt >= COUNT_EVERY_MS) this.#count(askedAt)
      if (this.#reloading) return
      this.#followed = generation
      this.#knownAt = askedAt
      this.#failure = undefined
    } catch (error) {
      this.#failure = error
    }
  }

  /** False when there is more to read. */
  #readOn(now: number): boolean {
    if (this.#feed.diverged(this.#position, now)) {
      void this.#reload()
      return false
    }
    const { position, more } = this.#feed.read(this.#position, MOST_AT_ONCE, keeper(this.#list, now))
    this.#position = position
    this.#uncounted = true
    // Requests come in between.
    if (more) setImmediate(() => this.#ask())
    return !more
  }

  #count(askedAt: number): void {
    this.#countedAt = askedAt
    this.#uncounted = false
    if (this.#feed.missing() !== this.#missing) void this.#reload()
  }

  /** Until it is done the old list answers, for as long as `maxStaleness` allows. After a failure the next answer of the watch begins it again. */
  async #reload(): Promise<void> {
    this.#reloading = true
    try {
      await this.#load()
    } catch (error) {
      this.#failure = error
    } finally {
      this.#reloading = false
    }
  }

  /** Reads everything into a new list. The last rows are read and the lists exchanged in one go, so that nothing revoked here meanwhile is lost. */
  async #load(): Promise<void> {
    const now = this.#options.clock.now()
    const list = new MemoryRevocationList(this.#options.clock)
    let read = this.#feed.read(BEGINNING, MOST_AT_ONCE, keeper(list, now))
    while (read.more) {
      await nextTurn()
      read = this.#feed.read(read.position, MOST_AT_ONCE, keeper(list, now))
    }
    this.#missing = this.#feed.missing()
    this.#list = list
    this.#position = read.position
    this.#followed = Number.NaN
  }
}

/** A row that cannot be read is named by the list itself, everything else by the database. */
function failureOf(error: unknown): ReasonOf<'revocation-unavailable'> {
  return error instanceof Refusal && error.is('revocation-unavailable') ? error.reason : storeFault(error)
}

function keeper(list: MemoryRevocationList, now: number): (recorded: RecordedRevocation) => void {
  return ({ revocation, until }) => {
    if (now < until) list.revoke(revocation, until)
  }
}
