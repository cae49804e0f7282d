import type { Principal } from '../../src/domain/credential.ts'
import { createAssertionIssuer } from '../../src/tokens/assertion-issuer.ts'
import type { IdentityKeys } from '../../src/tokens/identity-keys.ts'
import { clockAt, HUMAN, ISSUER, MACHINE, NOW, routeTo, UNICODE_SUBJECT, UPSTREAMS } from './identity-fixtures.ts'

/** One file of test/vectors: everything that a verifier in any language needs to try itself. */
export interface VectorFile {
  readonly comment: string
  readonly algorithm: string
  readonly issuer: string
  readonly audience: string
  /** The moment of verification, in seconds since the epoch. */
  readonly now: number
  readonly jwks: { readonly keys: Record<string, unknown>[] }
  readonly vectors: readonly Vector[]
}

export interface Vector {
  readonly name: string
  readonly header: string
  readonly typ: string
  readonly assertion: string
  readonly claims: Readonly<Record<string, unknown>>
}

interface VectorInput {
  readonly name: string
  readonly principal: Principal
  readonly binding: 'session' | 'request'
  readonly id: string
}

const INPUTS: readonly VectorInput[] = [
  { name: 'human', principal: HUMAN, binding: 'session', id: '00000000-0000-4000-8000-000000000001' },
  { name: 'api key', principal: MACHINE, binding: 'session', id: '00000000-0000-4000-8000-000000000002' },
  {
    name: 'subject in Unicode',
    principal: { ...HUMAN, subject: UNICODE_SUBJECT },
    binding: 'session',
    id: '00000000-0000-4000-8000-000000000003',
  },
  { name: 'bound to one request', principal: HUMAN, binding: 'request', id: '00000000-0000-4000-8000-000000000004' },
]

/** What the gateway writes for the vectors' principals with these keys. Everything is fixed but the keys and their signatures. */
export function vectorsFor(keys: IdentityKeys): Vector[] {
  return INPUTS.map(({ name, principal, binding, id }) => {
    const issuer = createAssertionIssuer({
      keys,
      issuer: ISSUER,
      ttlMs: 60_000,
      binding,
      forwardClaims: ['email', 'absent'],
      upstreams: UPSTREAMS,
      clock: clockAt(NOW),
      newId: () => id,
    })
    const { header, value } = issuer.issue(principal, routeTo('accounts'), 'GET') as { header: string; value: string }
    const [head = '', payload = ''] = value.split('.').map((part) => Buffer.from(part, 'base64url').toString())
    return { name, header, typ: JSON.parse(head).typ, assertion: value, claims: JSON.parse(payload) }
  })
}
