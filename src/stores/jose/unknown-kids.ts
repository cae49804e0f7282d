import type { Clock } from '../../ports/clock.ts'

/** Kids remembered as absent; the oldest makes room. A kid has at most 256 characters. */
const CAPACITY = 1000

/** Decides whether a `kid` that is not in a key set is worth asking the issuer again. */
export class UnknownKids {
  readonly #clock: Clock
  readonly #cooldown: number
  readonly #lifetime: number
  /** Kid to the monotonic millisecond until which it is known to be absent, oldest first. */
  readonly #absent = new Map<string | null, number>()
  #nextLoadAt = Number.NEGATIVE_INFINITY

  /** `cooldown`: between two loads; `lifetime`: how long a kid that was looked for in vain causes none. Both in milliseconds. */
  constructor(clock: Clock, cooldown: number, lifetime: number) {
    this.#clock = clock
    this.#cooldown = cooldown
    this.#lifetime = lifetime
  }

  /** Whether to load once more because of this kid; if so, the cooldown begins. */
  mayLoadFor(kid: string | null): boolean {
    const now = this.#clock.monotonic()
    const absentUntil = this.#absent.get(kid)
    if (now < this.#nextLoadAt || (absentUntil !== undefined && now < absentUntil)) return false
    this.#nextLoadAt = now + this.#cooldown
    return true
  }

  /** A successful load just now did not bring this kid. */
  remember(kid: string | null): void {
    this.#absent.delete(kid)
    this.#absent.set(kid, this.#clock.monotonic() + this.#lifetime)
    if (this.#absent.size <= CAPACITY) return
    for (const oldest of this.#absent.keys()) {
      this.#absent.delete(oldest)
      break
    }
  }
}
