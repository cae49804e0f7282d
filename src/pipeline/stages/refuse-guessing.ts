import { addressKey } from '../../domain/address.ts'
import type { Carrying } from '../../domain/evidence.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { Invited } from './check-origin.ts'

/** Proof that the address has not presented too many credentials that were not valid. */
class Unsuspected extends Proof<Carrying> {
  protected readonly stage = 'refuseGuessing'
}

export type { Unsuspected }

/**
 * Lets an address whose failures ran out wait, before anything is verified or looked up: with a valid credential too, or the answer would tell which
 * guess was right. Takes nothing; `verify` does, when a credential turns out not to be valid.
 */
export async function refuseGuessing(
  invited: Invited,
  { failureLimiter, failureLimits }: Pick<Pipeline, 'failureLimiter' | 'failureLimits'>,
): Promise<Unsuspected> {
  const { inbound, route, credential } = invited.facts
  if (route.plane === 'PUBLIC' || credential === null) return new Unsuspected(invited.facts)
  for (const limit of failureLimits) {
    const allowance = await failureLimiter.look(limit, addressKey(inbound.clientAddress))
    if (!allowance.admitted) throw new Refusal('rate-limited', 'failure-limit', { allowance })
  }
  return new Unsuspected(invited.facts)
}
