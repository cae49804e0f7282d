import type { DecisionRecord } from '../domain/decision-record.ts'

/** Counts what happened. Never throws. */
export interface Meter {
  /** One request is decided and answered. `authMs`: time until the decision; `upstreamMs`: from then to the response's head, null when none was asked. */
  decided(record: DecisionRecord, authMs: number, upstreamMs: number | null): void
  /** An invariant was found violated: I1 to I4 by a refusal, I5 by an identity header that had to be dropped. */
  invariantViolated(invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5'): void
  /** A limit ran out. */
  rateLimited(limit: string): void
}
