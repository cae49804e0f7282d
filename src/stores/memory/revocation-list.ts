import type { Principal } from '../../domain/credential.ts'
import type { Revocation, RevokedReason } from '../../domain/revocation.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RevocationList } from '../../ports/revocation-list.ts'
import { ExpiringIndex } from './expiring-index.ts'

/** A mark that every moment is up to: the entry does not depend on when a token was issued. */
const ALWAYS = Number.POSITIVE_INFINITY

/**
 * Revocations held in this process and gone with it. Sessions, tokens and subjects are those of JWTs; an API key is withdrawn by its
 * credential id, so revoking a person's sessions does not take down keys whose owner has the same name.
 */
export class MemoryRevocationList implements RevocationList {
  readonly #sessions: ExpiringIndex
  readonly #tokens: ExpiringIndex
  readonly #subjects: ExpiringIndex
  readonly #credentials: ExpiringIndex

  constructor(clock: Clock) {
    this.#sessions = new ExpiringIndex(clock)
    this.#tokens = new ExpiringIndex(clock)
    this.#subjects = new ExpiringIndex(clock)
    this.#credentials = new ExpiringIndex(clock)
  }

  /** Entries held, those not yet forgotten included. */
  get size(): number {
    return this.#sessions.size + this.#tokens.size + this.#subjects.size + this.#credentials.size
  }

  /** `until`: milliseconds since the epoch from which nothing that it concerns can be alive, clock skew included. */
  revoke(revocation: Revocation, until: number): void {
    switch (revocation.kind) {
      case 'session':
        this.#sessions.add(revocation.issuer, revocation.session, ALWAYS, until)
        break
      case 'token':
        this.#tokens.add(revocation.issuer, revocation.tokenId, ALWAYS, until)
        break
      case 'subject':
        this.#subjects.add(revocation.issuer, revocation.subject, revocation.issuedUpTo, until)
        break
      case 'credential':
        this.#credentials.add(null, revocation.credentialId, ALWAYS, until)
    }
  }

  /** Frees what has ended among the next `effort` entries of each kind. */
  sweep(effort: number): void {
    for (const index of [this.#sessions, this.#tokens, this.#subjects, this.#credentials]) index.sweep(effort)
  }

  revoked(principal: Principal): RevokedReason | null {
    if (this.#credentials.covers(null, principal.credentialId, 0)) return 'credential-revoked'
    if (principal.kind !== 'jwt') return null
    const { issuer, session, tokenId, subject, issuedAt } = principal
    if (session !== null && this.#sessions.covers(issuer, session, 0)) return 'session-revoked'
    if (tokenId !== null && this.#tokens.covers(issuer, tokenId, 0)) return 'token-revoked'
    if (this.#subjects.covers(issuer, subject, issuedAt ?? Number.NEGATIVE_INFINITY)) return 'subject-revoked'
    return null
  }
}
