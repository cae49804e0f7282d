import type { CredentialShape } from '../domain/credential-shape.ts'
import type { HeaderClassifier } from '../domain/header-class.ts'
import type { Limit } from '../domain/limit.ts'
import type { CredentialKind } from '../domain/plane.ts'
import type { DeclaredPlaces } from '../invariants/place.ts'
import type { AssertionIssuer } from '../ports/assertion-issuer.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { FailureLimiter, Limiter } from '../ports/limiter.ts'
import type { Meter } from '../ports/meter.ts'
import type { RevocationList } from '../ports/revocation-list.ts'
import type { RouteTable } from '../ports/route-table.ts'
import type { Verifier } from '../ports/verifier.ts'

/** What a decision needs of the world, and what was declared. Built once at start, never changed. */
export interface Pipeline {
  readonly clock: Clock
  /** SHA-256 (hex): what may be written down of a token that nobody verified. */
  readonly digest: (text: string) => string
  /** Takes the limits with `key: ip`. */
  readonly addressLimiter: Limiter
  readonly addressLimits: readonly Limit[]
  /** Bytes; a body declared longer is refused by its head. */
  readonly maxBodySize: number
  readonly routes: RouteTable
  readonly classifyHeader: HeaderClassifier
  /** Knows a credential of ours wherever it stands. */
  readonly credentialShape: CredentialShape
  /** As configured; compared in lower case. */
  readonly apiKeyHeader: string
  readonly declaredPlaces: DeclaredPlaces
  readonly verifiers: Readonly<Record<CredentialKind, Verifier>>
  readonly revocations: RevocationList
  /** Takes the limits that routes name. */
  readonly limiter: Limiter
  readonly limits: ReadonlyMap<string, Limit>
  /** Takes the limits on failures. */
  readonly failureLimiter: FailureLimiter
  /** Taken by address, when a credential turns out not to be valid. */
  readonly failureLimits: readonly Limit[]
  /** Role to the permissions it grants. */
  readonly roles: ReadonlyMap<string, ReadonlySet<string>>
  readonly assertions: AssertionIssuer
  readonly auditLog: AuditLog
  readonly meter: Meter
}
