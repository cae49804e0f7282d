import type { Principal } from '../domain/credential.ts'

/** Knows what was withdrawn before its time: sessions, tokens, subjects up to a moment, API keys. */
export interface RevocationList {
  /** Why the principal's credential no longer counts, in one kebab-case word; null when it does. Throws when it cannot tell. */
  revoked(principal: Principal): string | null | Promise<string | null>
}
