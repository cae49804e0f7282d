import type { Credential } from '../domain/credential.ts'
import { redactCredentials } from '../domain/credential-shape.ts'
import type { DecisionRecord } from '../domain/decision-record.ts'
import type { Evidence } from '../domain/evidence.ts'
import type { UnrefusedReason } from '../problem/reasons.ts'
import type { Refusal } from '../problem/refusal.ts'
import type { Pipeline } from './pipeline.ts'

const LONGEST_TEXT = 512
/** Scopes or roles that a record may list, and the length of each. */
const MOST_NAMES = 64
const LONGEST_NAME = 128

/**
 * The audit record of what is known. Written from verified facts where there are any; of a credential only its kind and what may be written
 * down of it. Client-chosen text loses what looks like a credential
 * and is cut to a bound; JSON escapes the rest.
 */
export function recordOf(
  { inbound, target, route, preflight, credential, principal }: Evidence,
  refusal: Refusal | null,
  status: number,
  { clock, digest }: Pick<Pipeline, 'clock' | 'digest'>,
  reason: UnrefusedReason | null = null,
): DecisionRecord {
  return {
    time: new Date(clock.now()).toISOString(),
    requestId: inbound.requestId,
    decision: refusal === null ? 'allow' : 'deny',
    code: refusal?.code ?? null,
    reason: reason ?? refusal?.reason ?? (preflight === true ? 'cors-preflight' : null),
    route: route?.id ?? null,
    plane: route?.plane ?? null,
    actor: principal?.actor ?? null,
    issuer: principal?.issuer ?? null,
    subject: principal?.subject.slice(0, LONGEST_TEXT) ?? null,
    scopes: principal ? listed(principal.scopes) : null,
    roles: principal ? listed(principal.roles) : null,
    credential: credential
      ? { kind: credential.kind, id: principal?.credentialId ?? refusal?.details.credentialId ?? presentedId(credential, digest) }
      : null,
    session: principal?.sessionDigest ?? null,
    method: inbound.method.slice(0, 32),
    host: target === undefined || target.host === '' ? null : target.host.slice(0, LONGEST_TEXT),
    path: target === undefined ? null : redactCredentials(target.path).slice(0, LONGEST_TEXT),
    clientIp: inbound.clientAddress,
    userAgent: inbound.userAgent === null ? null : redactCredentials(inbound.userAgent).slice(0, LONGEST_TEXT),
    status,
    durationMs: Math.round((clock.monotonic() - inbound.arrivedAt) * 1000) / 1000,
    upstream: route?.upstream ?? null,
  }
}

/** A list that was cut would say something untrue: one that is too long is left out. */
function listed(names: readonly string[]): readonly string[] | null {
  return names.length <= MOST_NAMES && names.every((name) => name.length <= LONGEST_NAME) ? names : null
}

/** What may be written down of a credential that was refused before anybody looked at it: a key's public part, or a token's digest. */
function presentedId({ kind, secret }: Credential, digest: Pipeline['digest']): string | null {
  if (kind === 'jwt') return digest(secret.reveal())
  return /^pgk_[a-z]+_([0-9A-Za-z]{16})_/.exec(secret.reveal())?.[1] ?? null
}
