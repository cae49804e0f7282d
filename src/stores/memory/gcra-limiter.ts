import type { Allowance, Limit } from '../../domain/limit.ts'
import type { Clock } from '../../ports/clock.ts'
import type { FailureLimiter, Limiter } from '../../ports/limiter.ts'
import { ExpiringSlots } from './expiring-slots.ts'

const DEFAULT_MOST_KEYS = 1_000_000
/** Entries looked at on each request: above 1, so that the dead leave faster than new ones can come. */
const SWEPT_PER_TAKE = 4
const SWEPT_WHEN_FULL = 64
/** Milliseconds beyond the burst that charges can lead into debt. */
const LONGEST_DEBT = 3_600_000
const MICROSECONDS = 1000

/** One limit as integers: a tick is `1 / count` of a microsecond, so that the time between two requests is a whole number of them. */
interface CountedLimit {
  readonly limit: Limit
  readonly slots: Map<string, number>
  /** Ticks that one request costs. */
  readonly cost: number
  /** Ticks that the burst is worth. */
  readonly depth: number
  /** When the shared allowance of keys without an entry is full again; 0 at first. */
  overflow: number
}

/**
 * Counts in this process by the generic cell rate algorithm (ITU-T I.371): of each key only the moment is kept when its whole burst is
 * available again. A key whose moment has passed holds no information and is dropped; a key that is being limited never is. When all
 * `mostKeys` entries are held by keys not yet full again, further new keys share one allowance of the same limit: a flood of made-up keys
 * then limits new clients together, and neither exhausts memory nor frees a client that is limited.
 */
export class GcraLimiter implements Limiter, FailureLimiter {
  readonly #clock: Clock
  readonly #origin: number
  readonly #slots: ExpiringSlots<CountedLimit>
  readonly #limits = new Map<string, CountedLimit>()

  constructor(clock: Clock, mostKeys: number = DEFAULT_MOST_KEYS) {
    this.#clock = clock
    this.#origin = clock.monotonic()
    this.#slots = new ExpiringSlots(mostKeys)
  }

  /** Keys that have an entry now, over all limits. */
  get size(): number {
    return this.#slots.size
  }

  take(limit: Limit, key: string): Allowance {
    const counted = this.#countedOf(limit)
    const micros = Math.floor((this.#clock.monotonic() - this.#origin) * MICROSECONDS)
    this.#slots.sweep(micros, SWEPT_PER_TAKE)
    const slot = counted.slots.get(key) ?? this.#slots.open(counted, key, micros, SWEPT_WHEN_FULL)
    const now = micros * limit.count
    const before = Math.max(now, slot === undefined ? counted.overflow : this.#slots.fullAt(slot))
    const admitted = before + counted.cost - now <= counted.depth
    const after = admitted ? before + counted.cost : before
    if (slot === undefined) counted.overflow = after
    else this.#slots.setFullAt(slot, after)
    return allowance(counted, admitted, after - now)
  }

  charge(limit: Limit, key: string): void {
    const counted = this.#countedOf(limit)
    const micros = Math.floor((this.#clock.monotonic() - this.#origin) * MICROSECONDS)
    const slot = counted.slots.get(key) ?? this.#slots.open(counted, key, micros, SWEPT_WHEN_FULL)
    const now = micros * limit.count
    const before = Math.max(now, slot === undefined ? counted.overflow : this.#slots.fullAt(slot))
    const after = Math.min(before + counted.cost, now + counted.depth + LONGEST_DEBT * MICROSECONDS * limit.count)
    if (slot === undefined) counted.overflow = after
    else this.#slots.setFullAt(slot, after)
  }

  look(limit: Limit, key: string): Allowance {
    const counted = this.#countedOf(limit)
    const now = Math.floor((this.#clock.monotonic() - this.#origin) * MICROSECONDS) * limit.count
    const slot = counted.slots.get(key)
    const debt = Math.max(now, slot === undefined ? counted.overflow : this.#slots.fullAt(slot)) - now
    return allowance(counted, debt + counted.cost <= counted.depth, debt)
  }

  #countedOf(limit: Limit): CountedLimit {
    const known = this.#limits.get(limit.name)
    if (known !== undefined && sameNumbers(known.limit, limit)) return known
    const cost = limit.periodMs * MICROSECONDS
    const counted = { limit, slots: new Map<string, number>(), cost, depth: cost * limit.burst, overflow: 0 }
    this.#limits.set(limit.name, counted)
    return counted
  }
}

/** A limit of the same name whose numbers were changed starts afresh: its old moments are in other units. */
function sameNumbers(a: Limit, b: Limit): boolean {
  return a === b || (a.count === b.count && a.periodMs === b.periodMs && a.burst === b.burst)
}

/** `debt`: ticks until the whole burst is available. Times are rounded up to whole milliseconds, so that waiting them out is enough. */
function allowance({ limit, cost, depth }: CountedLimit, admitted: boolean, debt: number): Allowance {
  const remaining = Math.max(0, Math.floor((depth - debt) / cost))
  const perMs = MICROSECONDS * limit.count
  const retryAfterMs = remaining > 0 ? 0 : Math.ceil((debt + cost - depth) / perMs)
  return { limit, admitted, remaining, retryAfterMs, resetMs: Math.ceil(debt / perMs) }
}
