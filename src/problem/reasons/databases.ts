import type { Explanations } from './explanation.ts'

/** What keeps the database from answering, whoever asks it. */
const DATABASE_FAULTS = {
  'database-busy': {
    means: 'Another process has held the lock of the database for more than 2 s.',
    remedy: 'Find it with `fuser` on the file of `stores.database.url`: a backup, or a shell with an open transaction. End that.',
  },
  'database-read-only': {
    means: 'The database cannot be written: its file, folder or file system is read-only.',
    remedy: 'Give the file, its `-wal`, `-shm` and folder to the user of the gateway, or mount the disk for writing.',
  },
  'database-io-error': {
    means: 'The disk gave an error while the database was read or written.',
    remedy: 'Look into `dmesg`. The file of `stores.database.url` must be on a local disk, not on a network file system.',
  },
  'database-corrupt': {
    means: 'A page of the database file is damaged, or the file is not a database.',
    remedy: 'Stop the gateway, keep a copy, and restore a backup; `sqlite3 FILE "pragma integrity_check"` shows the extent.',
  },
  'database-full': {
    means: 'The disk of the database is full, so nothing can be changed.',
    remedy: 'Make room on the disk of `stores.database.url`; no restart is needed.',
  },
  'database-cannot-open': {
    means: 'The database, or a file beside it, cannot be opened.',
    remedy:
      'See that folder and files of `stores.database.url` are there and belong to the user of the gateway; see `ulimit -n`.',
  },
  'database-constraint': {
    means: 'The database refuses a row because of its own rules; what was to be changed stays as it was.',
    remedy:
      'Try once more. If it happens again, the tables were changed by hand or planegate has a fault: report it with the log line.',
  },
  'database-failed': {
    means: 'The database failed in a way that has no word of its own; `cause` in the log has it.',
    remedy: 'Go by that error. A missing table or column: `planegate migrate`. Else report it with the log line.',
  },
  'database-closed': {
    means: 'The database is closed because the gateway is stopping.',
    remedy: 'Nothing: the client tries again, at another instance. If the gateway is not stopping, report it.',
  },
  'database-replaced': {
    means:
      'The database file, its `-wal` or its `-shm` was deleted, or another was put in its place, while the gateway had it open.',
    remedy: 'Put the same files back, or restart the gateway to open the new one. Restore backups only while it is stopped.',
  },
} as const satisfies Explanations

/** `store-unavailable`. */
export const UNAVAILABLE_STORES = {
  ...DATABASE_FAULTS,
  'record-unreadable': {
    means: 'The row of this API key is not as planegate writes it: changed by hand, or by another version.',
    remedy:
      '`credential.id` in the record names the key. Give its owner a new one (`planegate keys create`), and have the row mended or deleted with `sqlite3`; until then `planegate keys list` fails too.',
  },
} as const satisfies Explanations

/** `revocation-unavailable`. */
export const UNAVAILABLE_REVOCATIONS = {
  ...DATABASE_FAULTS,
  'record-unreadable': {
    means:
      'A row of the table `revocations` is not as planegate writes it. It is never taken for nothing, so from then on no credential is let in.',
    remedy:
      'Find what wrote it (by hand, another version), take the row out and revoke the same anew with `planegate sessions revoke`.',
  },
  'list-behind': {
    means: 'Changes have not been read for longer than `revocation.maxStaleness`, though the database gives no error.',
    remedy:
      'The gateway or its disk is overloaded, or very much was revoked at once: see `planegate_revocation_lag_seconds` and the CPU.',
  },
  'list-failed': {
    means: 'The list of revocations failed in a way that nobody foresaw; `cause` in the log has it.',
    remedy: 'Report it with that log line, and restart the gateway.',
  },
} as const satisfies Explanations

/** `limiter-unavailable`. */
export const UNAVAILABLE_LIMITS = {
  'limit-undeclared': {
    means: 'The route names a limit that is not declared, which the start should have refused.',
    remedy: 'A fault of planegate: report it. Until then declare the limit under `limits`, or take it out of the route.',
  },
} as const satisfies Explanations
