import { addressKey } from '../../domain/address.ts'
import type { DecisionRecord } from '../../domain/decision-record.ts'
import type { Clock } from '../../ports/clock.ts'

/** Milliseconds over which the refusals of one limited key are gathered. */
const WINDOW = 60_000
/** Keys that are gathered apart; those beyond it are gathered together, so that a flood of addresses makes no flood of records. */
const MOST_KEYS = 10_000
const LOOK = 1_000

/** What was refused of one key since its first record. */
interface Repeats {
  readonly until: number
  count: number
  latest: DecisionRecord
}

/**
 * Gathers `rate-limited` refusals: the first of a key is recorded at once, those that follow within a minute become one record with their number. Without
 * this, whoever is limited could still fill the disk. All other records pass untouched.
 */
export class LimitedRepeats {
  readonly #append: (record: DecisionRecord) => void
  readonly #clock: Clock
  readonly #gathered = new Map<string, Repeats>()
  #timer: NodeJS.Timeout | null = null

  constructor(append: (record: DecisionRecord) => void, clock: Clock) {
    this.#append = append
    this.#clock = clock
  }

  append(record: DecisionRecord): void {
    if (record.code !== 'rate-limited') {
      this.#append(record)
      return
    }
    const own = keyOf(record)
    const key = this.#gathered.has(own) || this.#gathered.size < MOST_KEYS ? own : 'others'
    const known = this.#gathered.get(key)
    if (known !== undefined && this.#clock.monotonic() < known.until) {
      known.count += 1
      known.latest = record
      return
    }
    if (known !== undefined) this.#write(known)
    // Set anew, it stands behind those whose minute ends before its own.
    this.#gathered.delete(key)
    this.#gathered.set(key, { until: this.#clock.monotonic() + WINDOW, count: 0, latest: record })
    this.#append({ ...record, count: 1 })
    this.#timer ??= setInterval(() => this.flush(false), LOOK).unref()
  }

  /** Records what was gathered: where the minute is over, or all of it. */
  flush(all: boolean): void {
    const now = this.#clock.monotonic()
    for (const [key, repeats] of this.#gathered) {
      // Windows end in the order in which they began.
      if (!all && now < repeats.until) break
      this.#gathered.delete(key)
      this.#write(repeats)
    }
    if (this.#gathered.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  #write({ count, latest }: Repeats): void {
    if (count > 0) this.#append({ ...latest, count })
  }
}

/** By what was limited: an address, or a credential at a route. Encoded as JSON, so that no text can spell another key. */
function keyOf({ reason, route, credential, clientIp }: DecisionRecord): string {
  const address = addressKey(clientIp)
  return JSON.stringify(reason === 'subject-limit' ? [reason, route, credential?.id ?? null, address] : [reason, address])
}
