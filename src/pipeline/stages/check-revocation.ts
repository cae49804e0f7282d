import type { Known } from '../../domain/evidence.ts'
import type { RevokedReason } from '../../domain/revocation.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { Verified } from './verify.ts'

/** Proof that the credential was not withdrawn. */
class Live extends Proof<Known> {
  protected readonly stage = 'checkRevocation'
}

export type { Live }

/** Asks whether the credential still counts. A list that cannot tell refuses, whatever it threw. */
export async function checkRevocation(verified: Verified, { revocations }: Pick<Pipeline, 'revocations'>): Promise<Live> {
  const { principal } = verified.facts
  if (principal === null) return new Live(verified.facts)
  let reason: RevokedReason | null
  try {
    reason = await revocations.revoked(principal)
  } catch (cause) {
    throw cause instanceof Refusal ? cause : new Refusal('revocation-unavailable', 'list-failed', { cause })
  }
  if (reason !== null) throw new Refusal('credential-invalid', reason)
  return new Live(verified.facts)
}
