import type { Clock } from '../../ports/clock.ts'

export interface AuditOptions {
  /** Made with mode 0700 when missing at start; not made again when it vanishes later. */
  readonly directory: string
  /** Whether allowed requests are recorded. */
  readonly success: boolean
  /** Whether `rate-limited` refusals are recorded. Other refusals always are. */
  readonly limits: boolean
  /** While nothing can be written: `deny` reports unavailable, so that requests are refused; `shed` goes on and drops what does not fit. */
  readonly onUnavailable: 'deny' | 'shed'
  readonly clock: Clock
  readonly events: AuditEvents
  /** Characters of JSON that may wait for the disk; default 32 Mi. */
  readonly maxPending?: number
}

/** What the metrics and the log want to know. Called off the request path, except `dropped`. */
interface AuditEvents {
  recorded(count: number): void
  dropped(count: number): void
  /** Once at the beginning of each outage. */
  failed(error: Error): void
  restored(): void
}
