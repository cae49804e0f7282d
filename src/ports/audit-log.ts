import type { ChangeRecord } from '../domain/change-record.ts'
import type { DecisionRecord } from '../domain/decision-record.ts'
import type { StreamRecord } from '../domain/stream-record.ts'

/** The append-only record of every decision and of every change that an administrator made. */
export interface AuditLog {
  /** Whether a record can be taken now. Asked before a request is served: what cannot be recorded is refused. */
  available(): boolean
  /** Takes one record. Never throws and never waits; the record is on its way to disk when this returns. */
  append(record: DecisionRecord): void
  /** Takes the record of a stream that was closed because of its credential, whatever else is recorded. Like `append` it never throws or waits. */
  appendStreamClosed(record: StreamRecord): void
  /**
   * Takes the record of a change, whatever else is recorded. Resolves when it is on disk (`fdatasync`). Rejects when it cannot be taken now; one that
   * was taken before the disk failed is kept, and resolves when the disk is back.
   */
  appendChange(record: ChangeRecord): Promise<void>
}
