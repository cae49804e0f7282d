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
 * down of it. Text that a client or an issuer chose loses what looks like a credential and is cut to a bound; JSON escapes the rest.
 */
export function recordOf(
  { inbound, target, route, preflight, credential, principal }: Evidence,
  refusal: Refusal | null,
  status: number,
  { clock, digest }: Pick<Pipeline, 'clock' | 'digest'>,
  reason: UnrefusedReason | null = null,
): DecisionRecord {
  const who = principal ?? refusal?.details.principal ?? null
  return {
    time: new Date(clock.now()).toISOString(),
    requestId: inbound.requestId,
    decision: refusal === null ? 'allow' : 'deny',
    code: refusal?.code ?? null,
    reason: reason ?? refusal?.reason ?? (preflight === true ? 'cors-preflight' : null),
    route: route?.id ?? null,
    plane: route?.plane ?? null,
    actor: who?.actor ?? null,
    issuer: who?.issuer ?? null,
    subject: who === null ? null : written(who.subject),
    scopes: who === null ? null : listed(who.scopes),
    roles: who === null ? null : listed(who.roles),
    credential: credential
      ? { kind: credential.kind, id: who?.credentialId ?? refusal?.details.credentialId ?? presentedId(credential, digest) }
      : null,
    session: who?.sessionDigest ?? null,
    method: inbound.method.slice(0, 32),
    host: target === undefined || target.host === '' ? null : written(target.host),
    path: target === undefined ? null : written(target.path),
    clientIp: inbound.clientAddress,
    userAgent: inbound.userAgent === null ? null : written(inbound.userAgent),
    status,
    durationMs: Math.round((clock.monotonic() - inbound.arrivedAt) * 1000) / 1000,
    upstream: route?.upstream ?? null,
  }
}

/** Every credential of ours has one of these in it, as most text has none: whoever has none is not looked at again. */
const SUSPECT = /[_%.]/

function written(text: string): string {
  const safe = SUSPECT.test(text) ? redactCredentials(text) : text
  // A cut may halve a character of two units, which no two readers of the record would then read alike.
  return safe.length <= LONGEST_TEXT ? safe : safe.slice(0, LONGEST_TEXT).toWellFormed()
}

/** A list that was cut would say something untrue: one that is too long is left out. The list itself is shared, and stays as it is. */
function listed(names: readonly string[]): readonly string[] | null {
  if (names.length > MOST_NAMES) return null
  let suspect = false
  for (const name of names) {
    if (name.length > LONGEST_NAME) return null
    suspect ||= SUSPECT.test(name)
  }
  return suspect ? names.map(written) : names
}

/** What may be written down of a credential that was refused before anybody looked at it: a key's public part, or a token's digest. */
function presentedId({ kind, secret }: Credential, digest: Pipeline['digest']): string | null {
  if (kind === 'jwt') return digest(secret.reveal())
  return /^pgk_[a-z]+_([0-9A-Za-z]{16})_/.exec(secret.reveal())?.[1] ?? null
}
