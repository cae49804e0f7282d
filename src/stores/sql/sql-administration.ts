import type { Administration } from '../../ports/administration.ts'
import type { AuditLog } from '../../ports/audit-log.ts'
import type { Clock } from '../../ports/clock.ts'
import { ChangeOutbox, type ChangeOutboxEvents } from './change-outbox.ts'
import { forgetChanges, forgetRevocations } from './forgetting.ts'
import type { Database } from './open-database.ts'
import { type SqlCredentialStore, sqlCredentialStore } from './sql-credential-store.ts'
import { SqlRevocationStore } from './sql-revocation-store.ts'
import { watchDatabase } from './watched-database.ts'

const FORGET_EVERY_MS = 60_000
/** Milliseconds between two batches, in which others write. */
const PAUSE_MS = 50
/** Milliseconds for which a change that is in the audit log is kept besides. */
const CHANGES_KEPT_MS = 86_400_000
/** Entries of memory looked at each time. */
const SWEPT = 10_000

export interface SqlAdministrationOptions {
  readonly clock: Clock
  readonly auditLog: Pick<AuditLog, 'appendChange'>
  readonly events: ChangeOutboxEvents
  /** As configured, in milliseconds. */
  readonly revocation: { readonly retention: number; readonly maxStaleness: number; readonly onUnavailable: 'deny' | 'allow' }
}

/** What a gateway knows of its database and does with it. */
export interface SqlAdministration extends Administration {
  readonly credentials: SqlCredentialStore
  readonly revocations: SqlRevocationStore
  close(): Promise<void>
}

/**
 * API keys, revocations and the records of their changes in one database, followed by one reader. Resolves when all revocations are known. Throws
 * `store-unavailable` or `revocation-unavailable`. Close it before the audit log and the database.
 */
export async function openAdministration(db: Database, options: SqlAdministrationOptions): Promise<SqlAdministration> {
  const { clock, revocation } = options
  const watched = watchDatabase(db, clock)
  try {
    const credentials = sqlCredentialStore(db, { clock, watched })
    const revocations = await SqlRevocationStore.open(db, { clock, watched, ...revocation })
    const outbox = new ChangeOutbox(db, { ...options, watched })
    const forgetting = forgetInTime(db, clock, revocations)
    return {
      credentials,
      registry: credentials,
      revocations,
      settled: () => outbox.settled(),
      async close() {
        forgetting.stop()
        await outbox.close()
        watched.close()
      },
    }
  } catch (error) {
    watched.close()
    throw error
  }
}

/** Once a minute, in small batches. What fails is tried again a minute later: keeping something for too long does no harm. */
function forgetInTime(db: Database, clock: Clock, revocations: SqlRevocationStore): { stop(): void } {
  let timer: NodeJS.Timeout
  const again = (ms: number) => {
    timer = setTimeout(() => void forget(), ms).unref()
  }
  let stopped = false
  async function forget(): Promise<void> {
    revocations.sweep(SWEPT)
    const now = clock.now()
    const revoked = await forgetRevocations(db.kysely, now).catch(() => false)
    const changed = await forgetChanges(db.kysely, now - CHANGES_KEPT_MS).catch(() => false)
    if (!stopped) again(revoked || changed ? PAUSE_MS : FORGET_EVERY_MS)
  }
  again(FORGET_EVERY_MS)
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
