import type { Insertable } from 'kysely'
import type { RecordedRevocation, Revocation } from '../../domain/revocation.ts'
import { Refusal } from '../../problem/refusal.ts'
import { integer } from './counters.ts'
import type { RevocationsTable } from './tables.ts'

/** Its columns, without its number. */
export function revocationRowOf({
  id,
  revocation,
  at,
  until,
  by,
}: RecordedRevocation): Omit<Insertable<RevocationsTable>, 'number'> {
  const { kind } = revocation
  const issuer = kind === 'credential' ? null : revocation.issuer
  return {
    id,
    kind,
    issuer,
    value: revokedValue(revocation),
    issued_up_to: kind === 'subject' ? revocation.issuedUpTo : null,
    at,
    until,
    by,
  }
}

/** The session, token id, subject or credential id. */
export function revokedValue(revocation: Revocation): string {
  switch (revocation.kind) {
    case 'session':
      return revocation.session
    case 'token':
      return revocation.tokenId
    case 'subject':
      return revocation.subject
    case 'credential':
      return revocation.credentialId
  }
}

export type RevocationRow = Readonly<Record<keyof RevocationsTable, unknown>>

/**
 * Throws `revocation-unavailable` for a row that is not as this program writes it: one that cannot be understood must not count as "nothing was revoked".
 */
export function recordedRevocationOf(row: RevocationRow): RecordedRevocation {
  try {
    const { id, at, until, by } = row
    return { id: text(id), revocation: revocationOf(row), at: integer(at), until: integer(until), by: text(by) }
  } catch (cause) {
    throw new Refusal('revocation-unavailable', 'record-unreadable', { cause })
  }
}

function revocationOf({ kind, issuer: writtenIssuer, value: written, issued_up_to: issuedUpTo }: RevocationRow): Revocation {
  const issuer = writtenIssuer === null ? null : text(writtenIssuer)
  const value = text(written)
  switch (kind) {
    case 'session':
      return { kind, issuer, session: value }
    case 'token':
      return { kind, issuer, tokenId: value }
    case 'subject':
      return { kind, issuer, subject: value, issuedUpTo: integer(issuedUpTo) }
    case 'credential':
      return { kind, credentialId: value }
    default:
      throw new TypeError('not a kind of revocation')
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('not a text')
  return value
}
