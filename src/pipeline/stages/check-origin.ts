import { isForeignSocket, preflightFault } from '../../domain/cors.ts'
import type { Carrying } from '../../domain/evidence.ts'
import { Refusal } from '../../problem/refusal.ts'
import { Proof } from '../proof.ts'
import type { Fitting } from './match-kind.ts'

/** Proof that no page asks from an origin that the route does not declare, where the answer alone would already be too much. */
class Invited extends Proof<Carrying> {
  protected readonly stage = 'checkOrigin'
}

export type { Invited }

/**
 * Refuses preflights that ask for more than the route's `cors` declares, and WebSockets from other origins: a browser opens those without asking first and
 * sends cookies along (cross-site WebSocket hijacking). Other requests pass whatever their origin: a browser keeps the answer from the page, and
 * what is no browser names any origin it likes. Routes without `cors` are not looked at.
 */
export function checkOrigin(fitting: Fitting): Invited {
  const { inbound, route, preflight } = fitting.facts
  if (route.cors === null) return new Invited(fitting.facts)
  const fault = preflight ? preflightFault(route.cors, inbound) : null
  if (fault !== null) throw new Refusal('policy-denied', fault)
  if (isForeignSocket(route.cors, inbound)) throw new Refusal('policy-denied', 'cors-origin')
  return new Invited(fitting.facts)
}
