import { addressKey } from '../../domain/address.ts'
import type { Allowance, Limit } from '../../domain/limit.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Limiter } from '../../ports/limiter.ts'

/** Wrong or missing tokens of one address. */
const FAILURE_LIMIT: Limit = {
  name: 'admin-failures',
  key: 'ip',
  on: 'failures',
  count: 10,
  periodMs: 60_000,
  burst: 10,
  source: 'built in',
}
/** Most addresses that are shut out at once; far more than can use up the limit within its few seconds. */
const MOST_SHUT_OUT = 10_000

/**
 * Counts failed attempts by address. An address that used them up is shut out for the few seconds until it may try again, whatever it presents: answering
 * the right token meanwhile would leave guessing unlimited.
 */
export class Failures {
  readonly #limiter: Limiter
  readonly #clock: Clock
  readonly #shutOut = new Map<string, { readonly until: number; readonly allowance: Allowance }>()

  constructor(limiter: Limiter, clock: Clock) {
    this.#limiter = limiter
    this.#clock = clock
  }

  /** What refuses this address now; null when it may try. */
  refusing(address: string): Allowance | null {
    const key = addressKey(address)
    const entry = this.#shutOut.get(key)
    if (entry === undefined) return null
    const wait = entry.until - this.#clock.monotonic()
    if (wait > 0) return { ...entry.allowance, admitted: false, remaining: 0, retryAfterMs: Math.ceil(wait) }
    this.#shutOut.delete(key)
    return null
  }

  /** Takes one attempt; gives what refuses the address when it had none left. Throws `limiter-unavailable`. */
  async count(address: string): Promise<Allowance | null> {
    const key = addressKey(address)
    const allowance = await this.#limiter.take(FAILURE_LIMIT, key)
    if (allowance.remaining === 0) this.#shut(key, allowance)
    return allowance.admitted ? null : allowance
  }

  #shut(key: string, allowance: Allowance): void {
    this.#shutOut.delete(key)
    const now = this.#clock.monotonic()
    // In the order they were shut out, so those whose time is over stand first.
    for (const [other, { until }] of this.#shutOut) {
      if (until > now && this.#shutOut.size < MOST_SHUT_OUT) break
      this.#shutOut.delete(other)
    }
    this.#shutOut.set(key, { until: now + allowance.retryAfterMs, allowance })
  }
}
