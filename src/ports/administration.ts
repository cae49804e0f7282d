import type { CredentialRegistry } from './credential-store.ts'
import type { RevocationRegistry } from './revocation-registry.ts'

/** Everything that administrators can change while the gateway runs. */
export interface Administration {
  readonly registry: CredentialRegistry
  readonly revocations: RevocationRegistry
  /**
   * Resolves once the audit records of all changes made so far are on disk. Rejects when they cannot be written now, and may wait for as long as the disk
   * does: ask with a time limit. Whatever it answers, the changes stay, and their records follow as soon as they can.
   */
  settled(): Promise<void>
}
