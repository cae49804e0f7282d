import { addressKey } from '../../domain/address.ts'
import type { Principal } from '../../domain/credential.ts'
import type { Known } from '../../domain/evidence.ts'
import type { Inbound } from '../../domain/inbound.ts'
import type { LimitKey } from '../../domain/limit.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { Live } from './check-revocation.ts'

/** Proof that the subject is within every limit that the route names. */
class Admitted extends Proof<Known> {
  protected readonly stage = 'takeAllowances'
}

export type { Admitted }

/** Takes from the route's limits by subject, and by address and subject. Subjects are qualified by their issuer. */
export async function takeAllowances(live: Live, { limiter, limits }: Pick<Pipeline, 'limiter' | 'limits'>): Promise<Admitted> {
  const { route, principal, inbound } = live.facts
  if (principal === null || route.limits.length === 0) return new Admitted(live.facts)
  const allowances = [...live.facts.allowances]
  for (const name of route.limits) {
    const limit = limits.get(name)
    if (limit === undefined) throw new Refusal('limiter-unavailable', 'limit-undeclared')
    const allowance = await limiter.take(limit, KEYS[limit.key](inbound, principal))
    if (!allowance.admitted) throw new Refusal('rate-limited', 'subject-limit', { allowance })
    allowances.push(allowance)
  }
  return new Admitted({ ...live.facts, allowances })
}

/** Encoded as JSON: joined by a mere separator, one subject could spell another's key. */
const KEYS: Readonly<Record<LimitKey, (inbound: Inbound, principal: Principal) => string>> = {
  ip: (inbound) => addressKey(inbound.clientAddress),
  subject: (_inbound, { issuer, subject }) => JSON.stringify([issuer, subject]),
  'ip+subject': (inbound, { issuer, subject }) => JSON.stringify([addressKey(inbound.clientAddress), issuer, subject]),
}
