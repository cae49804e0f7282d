import type { Evidence } from '../domain/evidence.ts'
import type { Inbound } from '../domain/inbound.ts'
import { decide } from '../pipeline/decide.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Proof } from '../pipeline/proof.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'
import { asRefusal, type Refusal } from '../problem/refusal.ts'

/** A decision with every proof that was won on the way. */
export interface Trace {
  readonly inbound: Inbound
  readonly proofs: readonly Proof<Evidence>[]
  readonly outcome: Granted | Refusal
  /** What was known at the end. */
  readonly evidence: Evidence
}

/** Decides as the gateway does, and keeps the proofs. Never rejects. */
export async function trace(inbound: Inbound, pipeline: Pipeline): Promise<Trace> {
  const proofs: Proof<Evidence>[] = []
  const outcome = await decide(inbound, pipeline, (proof) => {
    proofs.push(proof)
    return proof
  }).catch(asRefusal)
  return { inbound, proofs, outcome, evidence: proofs.at(-1)?.facts ?? { inbound } }
}
