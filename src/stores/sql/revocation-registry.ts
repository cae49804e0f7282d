import { hash, randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { ChangeRecord } from '../../domain/change-record.ts'
import type { RecordedRevocation, Revocation } from '../../domain/revocation.ts'
import type { RevocationRegistry } from '../../ports/revocation-registry.ts'
import { Refusal } from '../../problem/refusal.ts'
import { writeChange } from './change-row.ts'
import { advanceCounter } from './counters.ts'
import { recordedRevocationOf, revocationRowOf, revokedValue } from './revocation-row.ts'
import { storeFailure } from './store-failure.ts'
import type { Tables } from './tables.ts'
import { type Writing, writing } from './writing.ts'

/** A million at once would hold up every request while they are read. */
const MOST_LISTED = 1_000

/** Characters of an identifier: longer ones are in no token that is believed. */
const LONGEST = 1024
/** `until` of what is never forgotten. */
const FOREVER = Number.MAX_SAFE_INTEGER
/** SHA-256 of a token; any other credential id is an API key's. */
const TOKEN_DIGEST = /^[0-9a-f]{64}$/

export interface RevocationRegistryOptions extends Writing {
  /** Milliseconds. Longer than any token lives that the gateway believes. */
  readonly retention: number
}

/**
 * Revocations for administrators, in queries that every dialect understands. `revoke` throws `request-malformed` for an identifier that no token can hold,
 * and `store-unavailable`; nothing is revoked then.
 */
export function revocationRegistry(db: Kysely<Tables>, options: RevocationRegistryOptions): RevocationRegistry {
  const { clock, retention } = options
  return {
    async revoke(revocation, by) {
      if (!canBeMeant(revocation)) throw new Refusal('request-malformed', 'revocation-invalid')
      const at = clock.now()
      const recorded = { id: randomUUID(), revocation, at, until: endOf(revocation, at, retention), by }
      await writing(db, options, async (transaction) => {
        const number = await advanceCounter(transaction, 'revocations')
        await transaction
          .insertInto('revocations')
          .values({ number, ...revocationRowOf(recorded) })
          .execute()
        await writeChange(transaction, { action: 'revocation-added', by, now: at, what: describe(recorded) })
      })
      return recorded
    },

    async listRevocations() {
      try {
        const rows = await db
          .selectFrom('revocations')
          .selectAll()
          .where('until', '>', clock.now())
          .orderBy('number', 'desc')
          .limit(MOST_LISTED)
          .execute()
        return rows.map(recordedRevocationOf)
      } catch (error) {
        throw storeFailure(error)
      }
    },
  }
}

/** An unpaired surrogate would come back from the database as another character, so that it would be forgotten at the next start. */
function canBeMeant(revocation: Revocation): boolean {
  const texts = [revokedValue(revocation), 'issuer' in revocation ? revocation.issuer : null]
  const issuedUpTo = revocation.kind === 'subject' ? revocation.issuedUpTo : 0
  return (
    Number.isSafeInteger(issuedUpTo) &&
    texts.every((text) => text === null || (text !== '' && text.length <= LONGEST && text.isWellFormed()))
  )
}

/** No token that is alive now lives longer than the retention. An API key may have no end at all. */
function endOf(revocation: Revocation, at: number, retention: number): number {
  return revocation.kind === 'credential' && !TOKEN_DIGEST.test(revocation.credentialId) ? FOREVER : at + retention
}

/** What the audit log says of it. A session appears as its digest only, the same that stands in the records of its requests. */
function describe({ id, revocation }: RecordedRevocation): ChangeRecord['what'] {
  switch (revocation.kind) {
    case 'session': {
      const { kind, issuer, session } = revocation
      return { revocation: id, kind, issuer, session: hash('sha256', `${issuer ?? ''}\n${session}`, 'hex') }
    }
    case 'subject': {
      const { kind, issuer, subject, issuedUpTo } = revocation
      return { revocation: id, kind, issuer, subject, issuedUpTo }
    }
    case 'token':
      return { revocation: id, kind: revocation.kind, issuer: revocation.issuer, tokenId: revocation.tokenId }
    case 'credential':
      return { revocation: id, kind: revocation.kind, credentialId: revocation.credentialId }
  }
}
