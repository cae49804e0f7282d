import type { Allowance, Limit } from '../domain/limit.ts'

/** Counts requests against declared limits. Two different keys never share an allowance, and no key can be split into two. */
export interface Limiter {
  /** Takes one request's worth for `key`, which must be unambiguous within the limit. Throws `limiter-unavailable` when it cannot tell. */
  take(limit: Limit, key: string): Allowance | Promise<Allowance>
}

/** A limiter that can also be asked without taking: for what is counted afterwards. */
export interface FailureLimiter extends Limiter {
  /** What `take` would answer, without taking. Throws as `take` does. */
  look(limit: Limit, key: string): Allowance | Promise<Allowance>
}
