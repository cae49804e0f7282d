/** What a limit counts by. `ip` applies to every request; the others where a route names them. */
export type LimitKey = 'ip' | 'subject' | 'ip+subject'

/** What takes from a limit: every request, or only credentials that turn out not to be valid, so that guessing is slow. */
export type LimitOccasion = 'requests' | 'failures'

/** A declared limit: `count` requests per `periodMs`, of which `burst` may come at once. */
export interface Limit {
  readonly name: string
  readonly key: LimitKey
  readonly on: LimitOccasion
  readonly count: number
  readonly periodMs: number
  readonly burst: number
  /** Where it is written: `file:line`. */
  readonly source: string
}

/** What one request found when it took from a limit. */
export interface Allowance {
  readonly limit: Limit
  readonly admitted: boolean
  /** How many more would be admitted right now. */
  readonly remaining: number
  /** Milliseconds until one more is admitted; 0 when `remaining` is above 0. */
  readonly retryAfterMs: number
  /** Milliseconds until the whole burst is available again. */
  readonly resetMs: number
}
