import type { Evidence } from '../domain/evidence.ts'
import type { Inbound } from '../domain/inbound.ts'
import { decide } from '../pipeline/decide.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { asRefusal, type Refusal } from '../problem/refusal.ts'
import { refusalKind } from '../problem/refusals.ts'
import type { Outcome } from './imagined-caller.ts'
import { NotTold } from './imagined-unknown.ts'

/** What is decided, and what was known by then. */
export interface Judgement {
  readonly outcome: Outcome
  readonly evidence: Evidence
}

/** What a preflight without fault is answered. */
const PREFLIGHT_STATUS = 204

/** One request through the pipeline, and nothing written down. Throws `NotTold` where the decision hangs on what is not known. */
export async function judge(inbound: Inbound, pipeline: Pipeline): Promise<Judgement> {
  let evidence: Evidence = { inbound }
  try {
    await decide(inbound, pipeline, (proof) => {
      evidence = proof.facts
      return proof
    })
    return { outcome: outcomeOf(evidence, null), evidence }
  } catch (error) {
    const refusal = asRefusal(error)
    // A stage may have taken it for a port that failed.
    const { cause } = refusal.details
    if (cause instanceof NotTold) throw cause
    return { outcome: outcomeOf(evidence, refusal), evidence }
  }
}

function outcomeOf({ route, preflight }: Evidence, refusal: Refusal | null): Outcome {
  const answered = preflight === true
  return {
    decision: refusal === null ? 'allow' : 'deny',
    code: refusal?.code ?? null,
    status: refusal === null ? (answered ? PREFLIGHT_STATUS : null) : refusalKind(refusal.code).status,
    reason: refusal?.reason ?? (answered ? 'cors-preflight' : null),
    route: route?.id ?? null,
    plane: route?.plane ?? null,
    rule: route?.source ?? null,
  }
}
