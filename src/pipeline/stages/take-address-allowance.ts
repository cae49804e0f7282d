import { addressKey } from '../../domain/address.ts'
import type { Arrived } from '../../domain/evidence.ts'
import type { Inbound } from '../../domain/inbound.ts'
import type { Allowance } from '../../domain/limit.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'

/** Proof that the client's address may ask at all. */
class Welcome extends Proof<Arrived> {
  protected readonly stage = 'takeAddressAllowance'
}

export type { Welcome }

/** Takes from every limit by address, before the request is even read: a flood must stay cheap. */
export async function takeAddressAllowance(
  inbound: Inbound,
  { addressLimiter, addressLimits }: Pick<Pipeline, 'addressLimiter' | 'addressLimits'>,
): Promise<Welcome> {
  const allowances: Allowance[] = []
  for (const limit of addressLimits) {
    const allowance = await addressLimiter.take(limit, addressKey(inbound.clientAddress))
    if (!allowance.admitted) throw new Refusal('rate-limited', 'address-limit', { allowance })
    allowances.push(allowance)
  }
  return new Welcome({ inbound, allowances })
}
