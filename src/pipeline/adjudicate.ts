import { corsHeaders } from '../domain/cors.ts'
import type { DecisionRecord } from '../domain/decision-record.ts'
import type { Evidence } from '../domain/evidence.ts'
import type { Inbound } from '../domain/inbound.ts'
import { placeOf } from '../invariants/place.ts'
import type { UnrefusedReason } from '../problem/reasons.ts'
import { asRefusal, Refusal } from '../problem/refusal.ts'
import { refusalKind } from '../problem/refusals.ts'
import { type Challenge, type RenderedRefusal, renderRefusal } from '../problem/render.ts'
import { decide } from './decide.ts'
import type { Pipeline } from './pipeline.ts'
import { recordOf } from './record.ts'
import type { Granted } from './stages/vouch.ts'

/** What a client that hung up before its answer is recorded with; never sent. */
const CLIENT_GONE = 499

/** Is told of every refusal, for the log. Sees reason and cause, which no client does. */
export type RefusalObserver = (refusal: Refusal, record: DecisionRecord) => void

/**
 * One request, judged, and its one audit record still to be written: when its status is known, by whichever of `answered`, `refuse` or `abandoned`
 * comes first. What comes later writes nothing.
 */
export class Adjudication {
  readonly granted: Granted | null
  readonly #evidence: Evidence
  readonly #refusal: Refusal | null
  readonly #pipeline: Pipeline
  readonly #observe: RefusalObserver
  readonly #decidedAt: number
  #concluded = false

  constructor(outcome: Granted | Refusal, evidence: Evidence, pipeline: Pipeline, observe: RefusalObserver) {
    this.granted = outcome instanceof Refusal ? null : outcome
    this.#refusal = outcome instanceof Refusal ? outcome : null
    this.#evidence = evidence
    this.#pipeline = pipeline
    this.#observe = observe
    this.#decidedAt = pipeline.clock.monotonic()
  }

  get concluded(): boolean {
    return this.#concluded
  }

  /** The response's head is known: an upstream's, or that of an endpoint of the gateway. */
  answered(status: number): void {
    this.#conclude(status, null)
  }

  /** Records the refusal and gives what the client is to be told. `error`: what went wrong after the request was granted. */
  refuse(error?: unknown): RenderedRefusal {
    const refusal = this.#refusal ?? asRefusal(error)
    this.#conclude(refusalKind(refusal.code).status, refusal)
    const rendered = renderRefusal(refusal, this.#evidence.inbound.requestId, challengeFor(this.#evidence, this.#pipeline))
    const readable = refusalCors(this.#evidence, this.#pipeline)
    return readable === null ? rendered : { ...rendered, headers: { ...rendered.headers, ...readable } }
  }

  /** The client hung up before there was an answer. */
  abandoned(): void {
    this.#conclude(CLIENT_GONE, this.#refusal, 'client-disconnected')
  }

  /** The failure came after the response's head: too late for another answer, so it is only told to the log. */
  brokenOff(error: unknown): void {
    const refusal = asRefusal(error)
    this.#observe(refusal, recordOf(this.#evidence, refusal, refusalKind(refusal.code).status, this.#pipeline))
  }

  #conclude(status: number, refusal: Refusal | null, reason: UnrefusedReason | null = null): void {
    if (this.#concluded) return
    this.#concluded = true
    const { clock, auditLog, meter } = this.#pipeline
    const record = recordOf(this.#evidence, refusal, status, this.#pipeline, reason)
    auditLog.append(record)
    const { arrivedAt } = this.#evidence.inbound
    const asked = this.granted !== null && record.upstream !== null
    meter.decided(record, this.#decidedAt - arrivedAt, asked ? clock.monotonic() - this.#decidedAt : null)
    if (refusal === null) return
    const { invariant } = refusalKind(refusal.code)
    if (invariant !== undefined) meter.invariantViolated(invariant)
    if (refusal.details.allowance !== undefined) meter.rateLimited(refusal.details.allowance.limit.name)
    this.#observe(refusal, record)
  }
}

/**
 * Brackets the decision: the only catch-all, and the only writer of audit records. Never rejects: what nobody foresaw is a refusal with the code
 * `internal`. A request that could not be recorded is not served.
 */
export async function adjudicate(inbound: Inbound, pipeline: Pipeline, observe: RefusalObserver): Promise<Adjudication> {
  let evidence: Evidence = { inbound }
  try {
    if (!pipeline.auditLog.available()) throw new Refusal('audit-unavailable', 'audit-log-unavailable')
    const granted = await decide(inbound, pipeline, (proof) => {
      evidence = proof.facts
      return proof
    })
    return new Adjudication(granted, evidence, pipeline, observe)
  } catch (error) {
    return new Adjudication(asRefusal(error), evidence, pipeline, observe)
  }
}

/** Which credentials the place would take. Before a route is known: none, so the challenge gives nothing away. */
function challengeFor({ route, rival, target }: Evidence, { apiKeyHeader, declaredPlaces }: Pipeline): Challenge {
  if (route === undefined || target === undefined || route.plane === 'PUBLIC') return { jwt: false, apiKeyHeader: null }
  const place = placeOf(target.path, route, rival ?? null, declaredPlaces)
  const apiKey = route.plane !== 'HUMAN_ONLY' && !place.admin
  return { jwt: !place.worker, apiKeyHeader: apiKey ? apiKeyHeader : null }
}

/**
 * What lets a web page read the refusal. Before a route is known it tells nothing about any: then it is readable from every origin that some route
 * names, so that a page can tell a limit or a missing route from a dead network.
 */
function refusalCors({ inbound, route }: Evidence, { routes }: Pipeline): Record<string, string> | null {
  const cors = route === undefined ? routes.cors : route.cors
  return cors === null ? null : corsHeaders(cors, inbound)
}
