import type { Evidence } from '../domain/evidence.ts'
import type { Inbound } from '../domain/inbound.ts'
import { decide } from '../pipeline/decide.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'
import { asRefusal, type Refusal } from '../problem/refusal.ts'
import { refusalKind } from '../problem/refusals.ts'
import type { Aftermath } from './explanation.ts'
import type { Outcome } from './imagined-caller.ts'
import { NotTold } from './imagined-unknown.ts'

/** What is decided, and what was known by then. */
export interface Judgement {
  readonly outcome: Outcome
  readonly evidence: Evidence
}

/** The decision alone counts. */
const NOTHING_ELSE = (): Aftermath => ({ status: null, refusal: null })

/**
 * One request through the pipeline, and nothing written down. `afterwards`: what the listener would do where it is granted. Throws `NotTold` where the
 * decision hangs on what is not known.
 */
export async function judge(
  inbound: Inbound,
  pipeline: Pipeline,
  afterwards: (granted: Granted) => Aftermath = NOTHING_ELSE,
): Promise<Judgement> {
  let evidence: Evidence = { inbound }
  try {
    const granted = await decide(inbound, pipeline, (proof) => {
      evidence = proof.facts
      return proof
    })
    const { refusal, status } = afterwards(granted)
    return { outcome: outcomeOf(evidence, refusal, status), evidence }
  } catch (error) {
    const refusal = asRefusal(error)
    // A stage may have taken it for a port that failed.
    const { cause } = refusal.details
    if (cause instanceof NotTold) throw cause
    return { outcome: outcomeOf(evidence, refusal, null), evidence }
  }
}

function outcomeOf({ route, preflight }: Evidence, refusal: Refusal | null, status: number | null): Outcome {
  return {
    decision: refusal === null ? 'allow' : 'deny',
    code: refusal?.code ?? null,
    status: refusal === null ? status : refusalKind(refusal.code).status,
    reason: refusal?.reason ?? (preflight === true ? 'cors-preflight' : null),
    route: route?.id ?? null,
    plane: route?.plane ?? null,
    rule: route?.source ?? null,
  }
}
