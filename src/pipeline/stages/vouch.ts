import type { Known } from '../../domain/evidence.ts'
import type { Assertion } from '../../ports/assertion-issuer.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { Authorized } from './authorize.ts'

/** Proof that a request may go to its upstream, with the identity that it goes there with. */
class Granted extends Proof<Known> {
  protected readonly stage = 'vouch'
  /** null only where the route is PUBLIC: nobody is vouched for. */
  readonly assertion: Assertion | null

  constructor(facts: Known, assertion: Assertion | null) {
    super(facts)
    this.assertion = assertion
  }
}

export type { Granted }

/** Signs the identity for the route's upstream. */
export async function vouch(authorized: Authorized, { assertions }: Pick<Pipeline, 'assertions'>): Promise<Granted> {
  const { principal, route, inbound } = authorized.facts
  if (principal === null) return new Granted(authorized.facts, null)
  return new Granted(authorized.facts, await assertions.issue(principal, route, inbound.method))
}
