import type { RecordedRevocation, Revocation } from '../domain/revocation.ts'
import { timeText } from '../domain/timestamp.ts'

/** What is shown of a revocation, as JSON. Times as RFC 3339. */
export interface RevocationFacts {
  readonly id: string
  readonly kind: Revocation['kind']
  /** null: every issuer, or an API key, which has none. */
  readonly issuer: string | null
  /** One of these, by its kind. */
  readonly session?: string
  readonly tokenId?: string
  readonly subject?: string
  readonly credentialId?: string
  /** Of a subject: its tokens issued then or before no longer count. */
  readonly issuedUpTo?: string
  readonly at: string
  /** null: it is never forgotten. */
  readonly until: string | null
  readonly by: string
}

export function revocationFacts({ id, revocation, at, until, by }: RecordedRevocation): RevocationFacts {
  const { kind, ...what } = revocation
  const kept = { at: timeText(at) ?? '', until: timeText(until), by }
  if (!('issuedUpTo' in what)) return { id, kind, issuer: null, ...what, ...kept }
  return { id, kind, ...what, issuedUpTo: timeText(what.issuedUpTo * 1000) ?? '', ...kept }
}
