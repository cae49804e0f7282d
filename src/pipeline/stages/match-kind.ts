import type { Carrying } from '../../domain/evidence.ts'
import { planeMatchesKind } from '../../invariants/i2-plane-match.ts'
import { noWorkerJwt } from '../../invariants/i3-no-worker-jwt.ts'
import { adminNoApiKey } from '../../invariants/i4-admin-no-api-key.ts'
import { placeOf } from '../../invariants/place.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { Presented } from './read-credential.ts'

/** Proof that a credential of this kind may come here at all. */
class Fitting extends Proof<Carrying> {
  protected readonly stage = 'matchKind'
}

export type { Fitting }

/** I3, I4, then I2 by kind: in this order, and before anything is verified or looked up. */
export function matchKind(presented: Presented, { declaredPlaces }: Pick<Pipeline, 'declaredPlaces'>): Fitting {
  const { route, credential, target } = presented.facts
  const place = placeOf(target.path, route, declaredPlaces)
  const kind = adminNoApiKey(place, noWorkerJwt(place, credential?.kind ?? null))
  if (route.plane === 'PUBLIC') {
    // A PUBLIC rule that reaches over worker or admin paths opens nothing there.
    if (place.worker || place.admin) throw new Refusal('policy-denied', 'public-rule-on-guarded-path')
    return new Fitting(presented.facts)
  }
  if (kind !== null) planeMatchesKind(route.plane, kind)
  return new Fitting(presented.facts)
}
