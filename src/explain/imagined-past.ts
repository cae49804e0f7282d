import type { Inbound } from '../domain/inbound.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { ImaginedCaller } from './imagined-caller.ts'
import type { Candidate } from './imagined-candidate.ts'
import type { PastDecision } from './imagined-record.ts'
import { NotTold, type UntoldReason, unknownClaims, unknownList } from './imagined-unknown.ts'
import { imaginedHeader, imaginedVerification, imaginedVerifiers } from './imagined-verifiers.ts'

/** The recorded request as it would come again, with a placeholder where its credential was. */
export function inboundOf(past: PastDecision, path: string, { apiKeyHeader, publicHost }: Candidate): Inbound {
  const host = past.host === undefined ? publicHost : (past.host ?? '')
  const carried = past.credential !== null ? imaginedHeader(past.credential, apiKeyHeader) : otherScheme(past)
  return {
    requestId: past.requestId,
    method: past.method,
    target: path,
    rawHeaders: [...(host === '' ? [] : ['Host', host]), ...carried],
    clientAddress: '127.0.0.1',
    httpVersion: host === '' ? '1.0' : '1.1',
    malformed: null,
    origin: { addresses: ['127.0.0.1'], proto: 'http', host },
    userAgent: null,
    upgrade: mayBeUpgrade(past),
    arrivedAt: 0,
  }
}

/** Invalid, and yet no credential: there was an `Authorization` that is not `Bearer`. */
function otherScheme({ code, route }: PastDecision): readonly string[] {
  return code === 'credential-invalid' && route !== null ? ['Authorization', 'Basic not-recorded'] : []
}

/** Answered as one; or refused before anybody was known, which may have been for the page that it came from. */
function mayBeUpgrade({ status, code, subject }: PastDecision): boolean {
  return status === 101 || (code === 'policy-denied' && subject === null)
}

/** Another request that the record could be of, and why it cannot be told which, where that makes a difference. */
export interface OtherReading {
  readonly inbound: Inbound
  readonly reason: UntoldReason
}

/** An origin that no configuration declares. */
const FOREIGN_ORIGIN = ['Origin', 'https://not-recorded.invalid'] as const
/** Begins as every key does: in whatever header, it is counted. */
const KEY_ELSEWHERE = 'pgk_not-recorded'

/** `cors`: whether the route that was found has rules about pages of other origins. */
export function otherReadings(past: PastDecision, inbound: Inbound, cors: boolean, candidate: Candidate): OtherReading[] {
  const { apiKeyHeader, changes } = candidate
  const { rawHeaders } = inbound
  const readings: OtherReading[] = []
  const add = (reason: UntoldReason, headers: readonly string[]) =>
    readings.push({ reason, inbound: { ...inbound, rawHeaders: headers } })
  if (inbound.upgrade && cors) add('origin-not-recorded', [...rawHeaders, ...FOREIGN_ORIGIN])
  const { formerApiKeyHeader: former } = changes
  if (former === null) return readings
  // Whoever asked then may go on with the header of then.
  if (past.credential === 'api-key') add('api-key-header-changed', [...rawHeaders.slice(0, -2), former, KEY_ELSEWHERE])
  // What stood in a header where nothing is read may stand in the right one now.
  if (past.reason === 'not-in-its-header')
    add('api-key-header-changed', [...rawHeaders, ...imaginedHeader('api-key', apiKeyHeader)])
  return readings
}

/** Nothing is signed, so that only the decision counts. */
const UNSIGNED: Pipeline['assertions'] = { issue: () => ({ header: 'unsigned', value: 'unsigned' }) }

/** The time of the record, and verifiers that know who asked. */
export function worldOf(past: PastDecision, candidate: Candidate): Partial<Pipeline> {
  const world = { clock: { now: () => past.at, monotonic: () => 0 }, assertions: UNSIGNED }
  const verifiers = imaginedVerifiers(() => verificationOf(past, candidate), NOBODY_ELSE)
  // Known by name, and its credential refused all the same: by a revocation, or by a list that could not be read.
  const revoked = past.code === 'credential-invalid' || past.code === 'revocation-unavailable'
  if (!revoked || past.actor === null) return { ...world, verifiers }
  return { ...world, verifiers, revocations: { revoked: () => notTold('revocations-are-state') } }
}

const NOBODY_ELSE: Pipeline['verifiers'] = {
  jwt: { verify: () => notTold('credential-not-verified') },
  'api-key': { verify: () => notTold('credential-not-verified') },
}

function verificationOf(past: PastDecision, { providers, changes }: Candidate) {
  const caller = callerOf(past)
  if (changes.issuers.has(caller.issuer)) throw new NotTold('provider-changed')
  if (caller.kind === 'api-key' && changes.database) throw new NotTold('database-changed')
  // A key may be for certain addresses only, and which ones is not recorded.
  if (caller.kind === 'api-key' && changes.proxies) throw new NotTold('proxies-changed')
  return imaginedVerification(caller, providers, () => null)
}

/** Who was verified then. Throws `NotTold` where nobody was, or the record does not say who. */
function callerOf({ credential: kind, actor, issuer, subject, scopes, roles, code }: PastDecision): ImaginedCaller {
  // A token of the wrong plane was verified; older versions recorded nothing of its owner.
  if (actor === null)
    throw new NotTold(code === 'plane-mismatch' && kind === 'jwt' ? 'caller-not-recorded' : 'credential-not-verified')
  if (kind === null || subject === null || (kind === 'jwt' && issuer === null)) throw new NotTold('caller-not-recorded')
  return {
    kind,
    plane: actor === 'human' ? 'HUMAN' : 'MACHINE',
    issuer,
    subject,
    scopes: scopes ?? unknownList('scopes-not-recorded'),
    roles: roles ?? unknownList('roles-not-recorded'),
    claims: unknownClaims('claims-not-recorded'),
  }
}

function notTold(reason: UntoldReason): never {
  throw new NotTold(reason)
}
