import type { Principal } from '../domain/credential.ts'
import type { RevokedReason } from '../domain/revocation.ts'

/** Knows what was withdrawn before its time: sessions, tokens, subjects up to a moment, API keys. */
export interface RevocationList {
  /** Why the principal's credential no longer counts; null when it does. Throws when it cannot tell. */
  revoked(principal: Principal): RevokedReason | null | Promise<RevokedReason | null>
}
