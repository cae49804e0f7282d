import { preflightMethod } from '../../domain/cors.ts'
import type { Placed } from '../../domain/evidence.ts'
import type { Route } from '../../domain/route.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { WellFormed } from './refuse-ambiguity.ts'

/** Proof that exactly one declared route serves this host, method and path, and has not expired. */
class Routed extends Proof<Placed> {
  protected readonly stage = 'matchRoute'
}

export type { Routed }

/**
 * Finds the route. What nobody declared does not exist; a rule past its date no longer does. A preflight is placed on the route of the method that it asks
 * about, where that declares `cors`; anywhere else it is an OPTIONS request like any other.
 */
export function matchRoute(wellFormed: WellFormed, { routes, clock }: Pick<Pipeline, 'routes' | 'clock'>): Routed {
  const { inbound, target } = wellFormed.facts
  const intended = preflightMethod(inbound)
  const asked = intended === null ? null : routes.find(intended, target)
  const preflight = asked !== null && asked.cors !== null
  const route = preflight ? asked : routes.find(inbound.method, target)
  if (route === null) {
    const allow = routes.methodsFor(target)
    if (allow.length === 0) throw new Refusal('route-unknown', 'no-route')
    throw new Refusal('method-not-allowed', 'other-methods-only', { allow })
  }
  if (route.expiresAt !== null && clock.now() >= route.expiresAt) throw new Refusal('route-unknown', 'route-expired')
  const rival = routes.rivalOf(route, preflight ? (intended ?? '') : inbound.method, target)
  return new Routed({ ...wellFormed.facts, route: preflight ? answeringOnly(route) : route, rival, preflight })
}

/**
 * The route as a preflight meets it: nobody has to prove who they are, because a browser sends no credential with it, and there is no upstream, so that
 * whatever comes after can lead nowhere. Path and kind stay: a worker path is still one (I3, I4).
 */
function answeringOnly(route: Route): Route {
  return { ...route, plane: 'PUBLIC', upstream: null, limits: [], require: null, cookies: [] }
}
