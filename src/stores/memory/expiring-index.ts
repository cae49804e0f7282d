import type { Clock } from '../../ports/clock.ts'

/** Up to when something was withdrawn (`mark`, any unit that is compared with itself) and until when that matters (ms since the epoch). */
interface Entry {
  mark: number
  until: number
}

const SWEPT_PER_ADD = 4

/**
 * Entries by (issuer, key), with null for every issuer. Two levels of maps rather than joined text: no two pairs can have the same spelling,
 * and asking builds no string. What has ended is forgotten a few entries at a time when others are added, and by `sweep`.
 */
export class ExpiringIndex {
  readonly #clock: Clock
  readonly #byIssuer = new Map<string | null, Map<string, Entry>>()
  #hand = this.#walk()
  #size = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#size
  }

  /** Adding a pair again never takes anything back: the later mark and the later end hold. */
  add(issuer: string | null, key: string, mark: number, until: number): void {
    this.sweep(SWEPT_PER_ADD)
    const entries = this.#byIssuer.get(issuer) ?? new Map<string, Entry>()
    this.#byIssuer.set(issuer, entries)
    const known = entries.get(key)
    if (known === undefined) {
      entries.set(key, { mark, until })
      this.#size += 1
    } else {
      known.mark = Math.max(known.mark, mark)
      known.until = Math.max(known.until, until)
    }
  }

  /** Whether an entry of this issuer or of every issuer reaches up to `mark` and has not ended. */
  covers(issuer: string | null, key: string, mark: number): boolean {
    if (this.#size === 0) return false
    return this.#reaches(issuer, key, mark) || (issuer !== null && this.#reaches(null, key, mark))
  }

  /** Frees what has ended among the next `effort` entries, going round. */
  sweep(effort: number): void {
    const now = this.#clock.now()
    for (let looked = Math.min(effort, this.#size); looked > 0; looked--) {
      const next = this.#hand.next()
      if (next.done) {
        this.#hand = this.#walk()
        continue
      }
      const { issuer, entries, key, entry } = next.value
      if (now < entry.until) continue
      entries.delete(key)
      this.#size -= 1
      if (entries.size === 0) this.#byIssuer.delete(issuer)
    }
  }

  #reaches(issuer: string | null, key: string, mark: number): boolean {
    const entry = this.#byIssuer.get(issuer)?.get(key)
    return entry !== undefined && mark <= entry.mark && this.#clock.now() < entry.until
  }

  /** Once over all entries; what is added or deleted meanwhile does not disturb it. */
  *#walk() {
    for (const [issuer, entries] of this.#byIssuer) {
      for (const [key, entry] of entries) yield { issuer, entries, key, entry }
    }
  }
}
