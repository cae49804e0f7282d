// Checked by tsc, never run: each line marked below must fail to compile, or the proofs prove nothing.
import type { Arrived, Known } from '../../src/domain/evidence.ts'
import type { Pipeline } from '../../src/pipeline/pipeline.ts'
import { type Authorized, authorize } from '../../src/pipeline/stages/authorize.ts'
import { checkRevocation } from '../../src/pipeline/stages/check-revocation.ts'
import type { Fitting } from '../../src/pipeline/stages/match-kind.ts'
import { refuseAmbiguity } from '../../src/pipeline/stages/refuse-ambiguity.ts'
import { takeAllowances } from '../../src/pipeline/stages/take-allowances.ts'
import { type Verified, verify } from '../../src/pipeline/stages/verify.ts'
import { vouch } from '../../src/pipeline/stages/vouch.ts'

export async function misuse(
  fitting: Fitting,
  verified: Verified,
  known: Known,
  arrived: Arrived,
  pipeline: Pipeline,
): Promise<void> {
  // @ts-expect-error revocation is not checked before verification
  await checkRevocation(fitting, pipeline)
  // @ts-expect-error a forgotten await is not a proof
  await checkRevocation(verify(fitting, pipeline), pipeline)
  // @ts-expect-error limits are not taken before revocation is checked
  await takeAllowances(verified, pipeline)
  // @ts-expect-error policy does not come before limits, although the facts are the same
  authorize(verified, pipeline)
  // @ts-expect-error nobody is vouched for without authorization
  await vouch(verified, pipeline)
  // @ts-expect-error a look-alike made elsewhere is no proof
  const forged: Authorized = { facts: known }
  // @ts-expect-error the address limit comes first
  refuseAmbiguity({ facts: arrived }, pipeline)
  // @ts-expect-error nor does the name of a stage make one
  const named: Authorized = { facts: known, givenBy: 'authorize', stage: 'authorize' }
  await vouch(forged, pipeline)
  await vouch(named, pipeline)
}
