/** What an administrator can change. */
export type ChangeAction = 'key-created' | 'key-rotated' | 'key-revoked' | 'revocation-added'

/** The audit record of a change. Holds no secret. */
export interface ChangeRecord {
  /** Unique: a change that was written to the audit log twice, because the process died in between, is recognised by it. */
  readonly changeId: string
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string
  /** A `ChangeAction`, or what another version of planegate wrote. */
  readonly action: string
  /** Who: `admin-api 10.0.0.7`, `command-line root@host`. */
  readonly by: string
  /** What, in the words of the change: a key's id and owner, or what was revoked. */
  readonly what: Readonly<Record<string, string | number | readonly string[] | null>>
}
