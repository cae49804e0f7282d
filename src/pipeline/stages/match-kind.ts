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
  const { route, rival, preflight, credential, target } = presented.facts
  const place = placeOf(target.path, route, rival, declaredPlaces)
  const kind = adminNoApiKey(place, noWorkerJwt(place, credential?.kind ?? null))
  // A wider rule does not open, by a path that only differs in spelling, what a narrower one closes.
  if (rival !== null) throw new Refusal('route-unknown', 'spelling-of-another-route')
  if (route.plane === 'PUBLIC') {
    // A PUBLIC rule that reaches over worker or admin paths opens nothing there. A preflight has nothing behind it that could be opened.
    if (!preflight && (place.worker || place.admin)) throw new Refusal('policy-denied', 'public-rule-on-guarded-path')
    return new Fitting(presented.facts)
  }
  if (kind !== null) planeMatchesKind(route.plane, kind)
  return new Fitting(presented.facts)
}
