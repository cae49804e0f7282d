import type { Evidence } from '../domain/evidence.ts'
import type { Inbound } from '../domain/inbound.ts'
import type { Provider } from '../domain/provider.ts'
import type { Route } from '../domain/route.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { ImaginedCaller, Outcome } from './imagined-caller.ts'
import type { Judgement } from './imagined-judgement.ts'
import type { PastDecision } from './imagined-record.ts'
import { NotTold, type UntoldReason, unknownClaims, unknownList } from './imagined-unknown.ts'
import { imaginedHeader, imaginedVerification, imaginedVerifiers } from './imagined-verifiers.ts'

/** The configuration that decides again. */
export interface Candidate {
  readonly providers: readonly Provider[]
  readonly apiKeyHeader: string
  /** For records without a host. */
  readonly publicHost: string
  /** Whether some route answers for certain hosts only. */
  readonly asksHosts: boolean
  /** Issuers whose tokens may be verified otherwise than when the log was written; null among them: API keys. */
  readonly changedIssuers: ReadonlySet<string | null>
  judge(inbound: Inbound, world: Partial<Pipeline>): Promise<Judgement>
  routesAt(host: string, path: string): readonly Route[]
}

/** A decision as it is compared. `decision` null: certainly another one, but which hangs on a credential that is not recorded. */
export interface Compared {
  readonly decision: 'allow' | 'deny' | null
  readonly code: string | null
  readonly route: string | null
  /** `file:line`; null: no route. */
  readonly rule: string | null
}

export type Comparison =
  | { readonly result: 'same' }
  | { readonly result: 'different'; readonly from: Compared; readonly to: Compared }
  | { readonly result: 'untold'; readonly reason: UntoldReason }

/** Refusals of the gateway's own state, whatever the configuration says. */
const STATE: Readonly<Record<string, UntoldReason>> = {
  'rate-limited': 'limits-are-state',
  'limiter-unavailable': 'limits-are-state',
  'audit-unavailable': 'gateway-failed',
  internal: 'gateway-failed',
}

/** With a path these were found after the request was let through: without one it was refused for them before that. */
const AFTER_ALLOW: ReadonlySet<string> = new Set([
  'body-too-large',
  'headers-too-large',
  'overloaded',
  'request-malformed',
  'request-timeout',
  'upstream-invalid',
  'upstream-open',
  'upstream-timeout',
  'upstream-unreachable',
])

/** What a record may hold of a path or host at most, and what stands where a credential was. See `pipeline/record.ts`. */
const LONGEST_TEXT = 512
const TAKEN_OUT = '[credential]'

/** An origin that no configuration declares. */
const FOREIGN_ORIGIN = ['Origin', 'https://not-recorded.invalid'] as const

/**
 * Decides a recorded request again, at its own time and by whoever asked then. Says `same` or `different` only where everything that the decision hangs on is in
 * the record: whatever is not throws as soon as a stage looks at it.
 */
export async function replayed(past: PastDecision, candidate: Candidate): Promise<Comparison> {
  try {
    const { outcome, evidence } = await judgedAgain(past, candidate)
    return compared(past, outcome, evidence)
  } catch (error) {
    if (error instanceof NotTold) return { result: 'untold', reason: error.reason }
    throw error
  }
}

async function judgedAgain(past: PastDecision, candidate: Candidate): Promise<Judgement> {
  const state = past.code === null ? undefined : STATE[past.code]
  if (state !== undefined) throw new NotTold(state)
  const { path, host } = past
  if (path === null) throw new NotTold('no-path')
  if (path.length >= LONGEST_TEXT || path.includes(TAKEN_OUT) || (host?.length ?? 0) >= LONGEST_TEXT)
    throw new NotTold('path-not-whole')
  if (host === undefined && candidate.asksHosts) throw new NotTold('host-not-recorded')
  const inbound = inboundOf(past, path, candidate)
  // Whether it was a preflight, and for what, stood in headers.
  if (past.method === 'OPTIONS' && candidate.routesAt(host ?? '', path).some(({ cors }) => cors !== null))
    throw new NotTold('origin-not-recorded')
  const world = worldOf(past, candidate)
  const judgement = await candidate.judge(inbound, world)
  if (inbound.upgrade && judgement.evidence.route?.cors) {
    const foreign = { ...inbound, rawHeaders: [...inbound.rawHeaders, ...FOREIGN_ORIGIN] }
    const { outcome } = await candidate.judge(foreign, world)
    if (outcome.code !== judgement.outcome.code) throw new NotTold('origin-not-recorded')
  }
  return judgement
}

function compared(past: PastDecision, outcome: Outcome, { route, rival }: Evidence): Comparison {
  const from = decisionOf(past)
  const to: Compared = { decision: outcome.decision, code: outcome.code, route: outcome.route, rule: outcome.rule }
  if (route !== undefined && past.code === 'credential-ambiguous') throw new NotTold('several-credentials')
  if (route !== undefined && past.route === null) {
    // It was refused for having no route and now has one: only another spelling of a stricter one is refused alike.
    if (rival !== null && rival !== undefined) throw new NotTold('credential-not-recorded')
    return { result: 'different', from, to: { ...to, decision: null, code: null } }
  }
  const same = from.decision === to.decision && from.code === to.code && from.route === to.route
  return same ? { result: 'same' } : { result: 'different', from, to }
}

/** What went wrong after the request was let through was not decided. */
function decisionOf({ decision, code, route }: PastDecision): Compared {
  const allowed = decision === 'allow' || (code !== null && AFTER_ALLOW.has(code))
  return { decision: allowed ? 'allow' : 'deny', code: allowed ? null : code, route, rule: null }
}

function inboundOf(past: PastDecision, path: string, { apiKeyHeader, publicHost }: Candidate): Inbound {
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

/** Nothing is signed, so that only the decision counts. */
const UNSIGNED: Pipeline['assertions'] = { issue: () => ({ header: 'unsigned', value: 'unsigned' }) }

function worldOf(past: PastDecision, candidate: Candidate): Partial<Pipeline> {
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

function verificationOf(past: PastDecision, { providers, changedIssuers }: Candidate) {
  const caller = callerOf(past)
  if (changedIssuers.has(caller.issuer)) throw new NotTold('provider-changed')
  return imaginedVerification(caller, providers, () => null)
}

/** Who was verified then. Throws `NotTold` where nobody was, or the record does not say who. */
function callerOf({ credential: kind, actor, issuer, subject, scopes, roles, code }: PastDecision): ImaginedCaller {
  // A token of the wrong plane was verified; the record says nothing of its owner.
  if (actor === null)
    throw new NotTold(code === 'plane-mismatch' && kind === 'jwt' ? 'caller-not-recorded' : 'credential-not-verified')
  if (kind === null || subject === null || (kind === 'jwt' && issuer === null)) throw new NotTold('caller-not-recorded')
  return {
    kind,
    plane: actor === 'human' ? 'HUMAN' : 'MACHINE',
    actor,
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
