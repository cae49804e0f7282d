import { addressKey } from '../../domain/address.ts'
import type { Known } from '../../domain/evidence.ts'
import { planeMatchesPrincipal } from '../../invariants/i2-plane-match.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { Unsuspected } from './refuse-guessing.ts'

/** Proof that the credential is genuine and of the route's plane. */
class Verified extends Proof<Known> {
  protected readonly stage = 'verify'
}

export type { Verified }

/**
 * Asks the verifier of the credential's kind who it speaks for, then holds the plane against the route's (the rest of I2). A credential
 * that is not valid takes from the limits on failures.
 */
export async function verify(
  unsuspected: Unsuspected,
  { verifiers, failureLimiter, failureLimits }: Pick<Pipeline, 'verifiers' | 'failureLimiter' | 'failureLimits'>,
): Promise<Verified> {
  const { credential, inbound, route } = unsuspected.facts
  if (route.plane === 'PUBLIC') return new Verified({ ...unsuspected.facts, principal: null })
  if (credential === null) throw new Refusal('credential-missing', 'nothing-presented')
  const verification = await verifiers[credential.kind].verify(credential.secret.reveal(), inbound)
  if (!verification.verified) {
    const { reason, credentialId } = verification
    for (const limit of failureLimits) await failureLimiter.charge(limit, addressKey(inbound.clientAddress))
    throw new Refusal('credential-invalid', reason, credentialId === undefined ? {} : { credentialId })
  }
  return new Verified({ ...unsuspected.facts, principal: planeMatchesPrincipal(route.plane, verification.principal) })
}
