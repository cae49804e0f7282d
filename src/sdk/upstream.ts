/**
 * `planegate/upstream`: for a service behind the gateway, who a request is for. The one file that services import; see docs/upstream.md.
 */
export type { HeaderSource } from './assertion-header.ts'
export { answerIdentityError, expressIdentity, fastifyIdentity, type GuardedRequest, type GuardOptions } from './frameworks.ts'
export type { HumanAuthContext, IdentityContext, MachineCapabilityContext } from './identity-context.ts'
export { IdentityError, type IdentityErrorCode } from './identity-error.ts'
export { createIdentityVerifier, type IdentityVerifier, type IdentityVerifierOptions } from './identity-verifier.ts'
