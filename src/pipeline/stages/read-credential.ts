import type { Credential } from '../../domain/credential.ts'
import type { Carrying } from '../../domain/evidence.ts'
import { withoutCredentials } from '../../domain/query-credentials.ts'
import { Secret } from '../../domain/secret.ts'
import { type Carried, noMixedAuth } from '../../invariants/i1-no-mixed-auth.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { Routed } from './match-route.ts'

/** Proof that the request carries at most one credential (I1), read from its canonical carrier. */
class Presented extends Proof<Carrying> {
  protected readonly stage = 'readCredential'
}

export type { Presented }

/** Counts, then reads exactly one. The query goes on without the credentials that were in it. */
export function readCredential(
  routed: Routed,
  { classifyHeader, apiKeyHeader, credentialShape }: Pick<Pipeline, 'classifyHeader' | 'apiKeyHeader' | 'credentialShape'>,
): Presented {
  const { inbound, target, route } = routed.facts
  // It could not be taken out of a path without changing which one is meant.
  if (credentialShape.isIn(target.path)) throw new Refusal('credential-ambiguous', 'credential-in-path')
  const reading = withoutCredentials(target.query, credentialShape)
  const carried = noMixedAuth(inbound.rawHeaders, classifyHeader, apiKeyHeader.toLowerCase(), reading.credentials)
  const credential = credentialOf(carried)
  if (credential !== null || route.plane === 'PUBLIC')
    return new Presented({ ...routed.facts, target: { ...target, query: reading.query }, credential })
  if (carried.authorization !== null) throw new Refusal('credential-invalid', 'scheme-unsupported')
  throw new Refusal('credential-missing', carried.count === 0 ? 'nothing-presented' : 'not-in-its-header')
}

/** `Bearer` in any case, then one token (RFC 6750 section 2.1); what the token is worth is not judged here. */
function credentialOf({ authorization, apiKey }: Carried): Credential | null {
  if (apiKey !== null) return { kind: 'api-key', secret: new Secret(apiKey) }
  if (authorization === null) return null
  const bearer = /^bearer(?: +(.*))?$/i.exec(authorization)
  return bearer === null ? null : { kind: 'jwt', secret: new Secret(bearer[1] ?? '') }
}
