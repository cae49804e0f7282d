import type { Allowance, Limit } from '../domain/limit.ts'

/** Counts requests against declared limits. Two different keys never share an allowance, and no key can be split into two. */
export interface Limiter {
  /** Takes one request's worth for `key`, which must be unambiguous within the limit. Throws `limiter-unavailable` when it cannot tell. */
  take(limit: Limit, key: string): Allowance | Promise<Allowance>
}

/** Counts what is known only afterwards. Throws `limiter-unavailable` when it cannot tell. */
export interface FailureLimiter {
  /** Whether one more would be within the limit; takes nothing. */
  look(limit: Limit, key: string): Allowance | Promise<Allowance>
  /** Counts one, within the limit or not: many that were let through at once are paid for afterwards. */
  charge(limit: Limit, key: string): void | Promise<void>
}
