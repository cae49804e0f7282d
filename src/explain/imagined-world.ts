import type { Allowance, Limit } from '../domain/limit.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'

/** A world without state: no limit runs out, nothing is revoked, nothing is written down. */
export type StatelessWorld = Pick<
  Pipeline,
  'addressLimiter' | 'limiter' | 'failureLimiter' | 'revocations' | 'auditLog' | 'meter'
>

function admitting(limit: Limit): Allowance {
  return { limit, admitted: true, remaining: limit.burst, retryAfterMs: 0, resetMs: 0 }
}

export const STATELESS: StatelessWorld = {
  addressLimiter: { take: admitting },
  limiter: { take: admitting },
  failureLimiter: { look: admitting, charge: () => {} },
  revocations: { revoked: () => null },
  auditLog: { available: () => true, append: () => {}, appendStreamClosed: () => {}, appendChange: async () => {} },
  meter: { decided: () => {}, invariantViolated: () => {}, rateLimited: () => {} },
}
