import type { Evidence } from '../domain/evidence.ts'
import type { Inbound } from '../domain/inbound.ts'
import type { Pipeline } from './pipeline.ts'
import type { Proof } from './proof.ts'
import { authorize } from './stages/authorize.ts'
import { checkOrigin } from './stages/check-origin.ts'
import { checkRevocation } from './stages/check-revocation.ts'
import { matchKind } from './stages/match-kind.ts'
import { matchRoute } from './stages/match-route.ts'
import { readCredential } from './stages/read-credential.ts'
import { refuseAmbiguity } from './stages/refuse-ambiguity.ts'
import { refuseGuessing } from './stages/refuse-guessing.ts'
import { takeAddressAllowance } from './stages/take-address-allowance.ts'
import { takeAllowances } from './stages/take-allowances.ts'
import { verify } from './stages/verify.ts'
import { type Granted, vouch } from './stages/vouch.ts'

/** Is shown each proof as it is won, and gives it back: how a refusal further down is explained and recorded. */
export type Witness = <P extends Proof<Evidence>>(proof: P) => P

/**
 * One request, top to bottom. Each line needs the proof that the line above it returned, and only the file of a stage can make its proof: a stage
 * that is skipped, swapped or not awaited does not compile. A stage that says no throws a `Refusal`; `adjudicate` catches.
 */
export async function decide(inbound: Inbound, pipeline: Pipeline, saw: Witness): Promise<Granted> {
  const welcome = saw(await takeAddressAllowance(inbound, pipeline)) //  before anything that costs
  const wellFormed = saw(refuseAmbiguity(welcome, pipeline)) //          one reading of the path, one length, one host
  const routed = saw(matchRoute(wellFormed, pipeline)) //                no route, no service
  const presented = saw(readCredential(routed, pipeline)) //             I1: exactly one, or a refusal
  const fitting = saw(matchKind(presented, pipeline)) //                 I3, I4, and the half of I2 that needs no key
  const invited = saw(checkOrigin(fitting)) //                           CORS: preflights, and WebSockets opened by pages
  const unsuspected = saw(await refuseGuessing(invited, pipeline)) //    an address that failed too often waits
  const verified = saw(await verify(unsuspected, pipeline)) //           who is it; the rest of I2
  const live = saw(await checkRevocation(verified, pipeline)) //         "cannot tell" is a refusal
  const admitted = saw(await takeAllowances(live, pipeline)) //          by subject, and by address and subject
  const authorized = saw(authorize(admitted, pipeline)) //               identity is not authorization
  return saw(await vouch(authorized, pipeline)) //                       the identity that the upstream can verify
}
