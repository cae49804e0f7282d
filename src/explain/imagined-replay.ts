import type { Evidence } from '../domain/evidence.ts'
import type { Outcome } from './imagined-caller.ts'
import type { Candidate } from './imagined-candidate.ts'
import type { Judgement } from './imagined-judgement.ts'
import { inboundOf, otherReadings, worldOf } from './imagined-past.ts'
import { type PastDecision, TAKEN_OUT } from './imagined-record.ts'
import { NotTold, type UntoldReason } from './imagined-unknown.ts'

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
const STATE: ReadonlyMap<string | null, UntoldReason> = new Map([
  ['rate-limited', 'limits-are-state'],
  ['limiter-unavailable', 'limits-are-state'],
  ['audit-unavailable', 'gateway-failed'],
  ['internal', 'gateway-failed'],
])

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

/** Methods of requests that are taken to have no body. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** What a record may hold of a path or host at most. See `pipeline/record.ts`. */
const LONGEST_TEXT = 512

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
  const inbound = inboundOf(past, wholePath(past, candidate), candidate)
  const world = worldOf(past, candidate)
  const judgement = await candidate.judge(inbound, world)
  const cors = judgement.evidence.route?.cors ?? null
  for (const { inbound: other, reason } of otherReadings(past, inbound, cors !== null, candidate)) {
    const { outcome } = await candidate.judge(other, world)
    if (outcome.code !== judgement.outcome.code) throw new NotTold(reason)
  }
  return judgement
}

/** The path of a request that can be sent again. Throws `NotTold`. */
function wholePath({ code, path, host, method }: PastDecision, { asksHosts, changes, routesAt }: Candidate): string {
  const state = STATE.get(code)
  if (state !== undefined) throw new NotTold(state)
  if (path === null) throw new NotTold('no-path')
  if ([path, host ?? ''].some((text) => text.length >= LONGEST_TEXT || text.includes(TAKEN_OUT)))
    throw new NotTold('path-not-whole')
  if (host === undefined && asksHosts) throw new NotTold('host-not-recorded')
  if (changes.proxies && asksHosts) throw new NotTold('proxies-changed')
  if (changes.smallerBodies && !BODILESS.has(method)) throw new NotTold('body-size-changed')
  // Whether it was a preflight, and for what, stood in headers.
  if (method === 'OPTIONS' && routesAt(host ?? '', path).some(({ cors }) => cors !== null))
    throw new NotTold('origin-not-recorded')
  return path
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
