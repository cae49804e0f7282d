import type { Actor } from '../domain/actor.ts'
import type { CredentialKind } from '../domain/plane.ts'

/** What an audit record tells of a decision, as far as it can be made again. `undefined`: the record was written by a version that did not say. */
export interface PastDecision {
  readonly requestId: string
  /** When the request arrived, in milliseconds since the epoch. */
  readonly at: number
  readonly decision: 'allow' | 'deny'
  readonly code: string | null
  readonly reason: string | null
  readonly route: string | null
  readonly actor: Actor | null
  readonly issuer: string | null
  readonly subject: string | null
  /** null: not in the record. */
  readonly scopes: readonly string[] | null
  readonly roles: readonly string[] | null
  readonly credential: CredentialKind | null
  readonly method: string
  readonly host: string | null | undefined
  readonly path: string | null
  readonly status: number | null
  /** Requests that the record stands for. */
  readonly count: number
}

/** Stands where what looks like a credential was. */
export const TAKEN_OUT = '[credential]'

const ACTORS: ReadonlySet<unknown> = new Set(['human', 'service', 'agent', 'system'])
const KINDS: ReadonlySet<unknown> = new Set(['jwt', 'api-key'])

/** A decision from a line of the log; null when it is none that can be read. The line may hold anything. */
export function pastDecision(record: Readonly<Record<string, unknown>>): PastDecision | null {
  const { requestId, decision, method, time } = record
  const concluded = typeof time === 'string' ? Date.parse(time) : Number.NaN
  if (typeof requestId !== 'string' || typeof method !== 'string' || Number.isNaN(concluded)) return null
  if (decision !== 'allow' && decision !== 'deny') return null
  const { durationMs, actor, status, count } = record
  return {
    requestId,
    decision,
    method,
    // The record is written when the answer begins; rules that expire are held against the arrival.
    at: Math.floor(concluded - (typeof durationMs === 'number' && durationMs > 0 ? durationMs : 0)),
    code: textOr(record.code, null),
    reason: textOr(record.reason, null),
    route: textOr(record.route, null),
    actor: ACTORS.has(actor) ? (actor as Actor) : null,
    issuer: textOr(record.issuer, null),
    subject: textOr(record.subject, null),
    scopes: listOrNull(record.scopes),
    roles: listOrNull(record.roles),
    credential: kindOf(record.credential),
    host: record.host === null ? null : textOr(record.host, undefined),
    path: textOr(record.path, null),
    status: typeof status === 'number' ? status : null,
    count: typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 1,
  }
}

function textOr<Absent>(value: unknown, absent: Absent): string | Absent {
  return typeof value === 'string' ? value : absent
}

/** A list of which something was taken out is not known. */
function listOrNull(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && !item.includes(TAKEN_OUT)) ? value : null
}

function kindOf(credential: unknown): CredentialKind | null {
  if (typeof credential !== 'object' || credential === null || !('kind' in credential)) return null
  return KINDS.has(credential.kind) ? (credential.kind as CredentialKind) : null
}
