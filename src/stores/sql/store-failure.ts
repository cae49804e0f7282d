import type { ReasonOf } from '../../problem/reasons.ts'
import { Refusal } from '../../problem/refusal.ts'

type StoreFault = ReasonOf<'store-unavailable'>

/** SQLite's primary result codes (sqlite.org/rescode.html); an extended code carries one in its low byte. */
const FAULTS: Readonly<Record<number, StoreFault>> = {
  5: 'database-busy',
  6: 'database-busy',
  8: 'database-read-only',
  10: 'database-io-error',
  11: 'database-corrupt',
  13: 'database-full',
  14: 'database-cannot-open',
  19: 'database-constraint',
  26: 'database-corrupt',
}

/** A driver's error as the refusal that it means for a request. SQLite's messages name tables and columns, never values. */
export function storeFailure(cause: unknown): Refusal {
  return cause instanceof Refusal ? cause : new Refusal('store-unavailable', storeFault(cause), { cause })
}

/** What a driver's error, or a refusal that was made of one, says of the database. */
export function storeFault(cause: unknown): StoreFault {
  if (cause instanceof Refusal && cause.is('store-unavailable')) return cause.reason
  if (!(cause instanceof Error) || !('code' in cause)) return 'database-failed'
  if (cause.code === 'ERR_INVALID_STATE') return 'database-closed'
  return ('errcode' in cause && FAULTS[Number(cause.errcode) % 256]) || 'database-failed'
}
