import type { DecisionRecord } from '../domain/decision-record.ts'
import type { Evidence } from '../domain/evidence.ts'
import type { Clock } from '../ports/clock.ts'
import type { Refusal } from '../problem/refusal.ts'

const LONGEST_TEXT = 512

/**
 * The audit record of what is known. Written from verified facts where there are any; of a credential only its kind and what may be written
 * down of it. Client-chosen text is cut to a bound; JSON escapes the rest.
 */
export function recordOf(
  { inbound, target, route, credential, principal }: Evidence,
  refusal: Refusal | null,
  status: number,
  clock: Clock,
  reason: string | null = null,
): DecisionRecord {
  return {
    time: new Date(clock.now()).toISOString(),
    requestId: inbound.requestId,
    decision: refusal === null ? 'allow' : 'deny',
    code: refusal?.code ?? null,
    reason: reason ?? refusal?.reason ?? null,
    route: route?.id ?? null,
    plane: route?.plane ?? null,
    actor: principal?.actor ?? null,
    credential: credential
      ? { kind: credential.kind, id: principal?.credentialId ?? refusal?.details.credentialId ?? null }
      : null,
    session: principal?.sessionDigest ?? null,
    method: inbound.method.slice(0, 32),
    path: target === undefined ? null : target.path.slice(0, LONGEST_TEXT),
    clientIp: inbound.clientAddress,
    userAgent: inbound.userAgent === null ? null : inbound.userAgent.slice(0, LONGEST_TEXT),
    status,
    durationMs: Math.round((clock.monotonic() - inbound.arrivedAt) * 1000) / 1000,
    upstream: route?.upstream ?? null,
  }
}
