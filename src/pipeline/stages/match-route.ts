import type { Placed } from '../../domain/evidence.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { WellFormed } from './refuse-ambiguity.ts'

/** Proof that exactly one declared route serves this host, method and path, and has not expired. */
class Routed extends Proof<Placed> {
  protected readonly stage = 'matchRoute'
}

export type { Routed }

/** Finds the route. What nobody declared does not exist; a rule past its date no longer does. */
export function matchRoute(wellFormed: WellFormed, { routes, clock }: Pick<Pipeline, 'routes' | 'clock'>): Routed {
  const { inbound, target } = wellFormed.facts
  const route = routes.find(inbound.method, target)
  if (route === null) {
    const allow = routes.methodsFor(target)
    if (allow.length === 0) throw new Refusal('route-unknown', 'no-route')
    throw new Refusal('method-not-allowed', 'other-methods-only', { allow })
  }
  if (route.expiresAt !== null && clock.now() >= route.expiresAt) throw new Refusal('route-unknown', 'route-expired')
  return new Routed({ ...wellFormed.facts, route })
}
