import type { Principal } from '../domain/credential.ts'
import type { Inbound } from '../domain/inbound.ts'
import type { ReasonOf } from '../problem/reasons.ts'

/** Who a credential speaks for, or why it is not believed. `reason` is for operators. */
export type Verification =
  | { readonly verified: true; readonly principal: Principal }
  | { readonly verified: false; readonly reason: ReasonOf<'credential-invalid'>; readonly credentialId?: string }

/**
 * Decides whether one kind of credential is genuine. Answers yes or no; when it cannot tell (no keys, no store) it throws a `Refusal`
 * with a 503 code. May answer without a promise when it already knows. Does not look at planes, revocation or policy.
 */
export interface Verifier {
  verify(secret: string, inbound: Inbound): Verification | Promise<Verification>
}
