import type { RecordedRevocation, Revocation } from '../domain/revocation.ts'

/** What administrators do with revocations. */
export interface RevocationRegistry {
  /** Keeps it, with its audit record, in one transaction; in force at this gateway when it resolves, and at others within 250 ms. */
  revoke(revocation: Revocation, by: string): Promise<RecordedRevocation>
  /** Of those not yet forgotten the newest 1,000, newest first. */
  listRevocations(): Promise<RecordedRevocation[]>
}
