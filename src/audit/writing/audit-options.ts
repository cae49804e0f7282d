import type { KeyObject } from 'node:crypto'
import type { AuditAnchor } from '../../ports/audit-anchor.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Pseudonyms } from '../format/pseudonyms.ts'

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
  /** How a log that begins here names itself, before a random part: the public host. */
  readonly origin: string
  /** Ed25519; null: no checkpoints are written. */
  readonly signing: SigningKeys | null
  readonly segment: SegmentOptions
  readonly checkpoint: { readonly every: number; readonly interval: number }
  readonly anchor: AuditAnchor | null
  /** null: addresses and subjects are written as they are. */
  readonly pseudonyms: Pseudonyms | null
  /** Whether a log that is shorter or other than its newest checkpoint says stops the start. */
  readonly strict: boolean
}

export interface SigningKeys {
  readonly privateKey: KeyObject
  /** Public keys that may have signed what is there. */
  readonly previous: readonly KeyObject[]
}

/** `size` in bytes, the others in milliseconds. */
export interface SegmentOptions {
  readonly size: number
  readonly age: number
  readonly compressAfter: number
}

/** What the metrics and the log want to know. Called off the request path, except `dropped`. */
export interface AuditEvents {
  recorded(count: number): void
  dropped(count: number): void
  /** Once at the beginning of each outage. */
  failed(error: Error): void
  restored(): void
  /** Beside the log something failed that is tried again: a compression, an anchor. */
  trouble(error: Error): void
}
