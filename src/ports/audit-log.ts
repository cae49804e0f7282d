import type { DecisionRecord } from '../domain/decision-record.ts'

/** The append-only record of every decision. */
export interface AuditLog {
  /** Whether a record can be taken now. Asked before a request is served: what cannot be recorded is refused. */
  available(): boolean
  /** Takes one record. Never throws and never waits; the record is on its way to disk when this returns. */
  append(record: DecisionRecord): void
}
