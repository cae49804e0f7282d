import { createHash, timingSafeEqual } from 'node:crypto'
import { addressKey } from '../../domain/address.ts'
import type { Limit } from '../../domain/limit.ts'
import { valuesOf } from '../../domain/raw-headers.ts'
import type { Secret } from '../../domain/secret.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Limiter } from '../../ports/limiter.ts'
import { Refusal } from '../../problem/refusal.ts'
import { Failures } from './failures.ts'

/** All requests of one address with the right token. */
const REQUEST_LIMIT: Limit = {
  name: 'admin-requests',
  key: 'ip',
  on: 'requests',
  count: 600,
  periodMs: 60_000,
  burst: 100,
  source: 'built in',
}

/** What decides who may use the admin API. */
export interface AdmissionParts {
  readonly token: Secret
  readonly limiter: Limiter
  readonly clock: Clock
}

/** Lets a request in or throws its `Refusal`. `rawHeaders`: names and values alternating, as received. */
export type Admission = (rawHeaders: readonly string[], address: string) => Promise<void>

/**
 * Admits whoever bears the admin token. Digests are compared, so that neither length nor content of a wrong token shows in the time that it takes. Every
 * failure counts against its address.
 */
export function admission({ token, limiter, clock }: AdmissionParts): Admission {
  const expected = digest(Buffer.from(token.reveal(), 'utf8'))
  const failures = new Failures(limiter, clock)

  return async (rawHeaders, address) => {
    const shutOut = failures.refusing(address)
    if (shutOut !== null) throw new Refusal('rate-limited', 'admin-failures', { allowance: shutOut })
    const mistake = mistakeIn(valuesOf(rawHeaders, 'authorization'), expected)
    if (mistake !== null) {
      const exhausted = await failures.count(address)
      throw exhausted === null ? mistake : new Refusal('rate-limited', 'admin-failures', { allowance: exhausted })
    }
    const allowance = await limiter.take(REQUEST_LIMIT, addressKey(address))
    if (!allowance.admitted) throw new Refusal('rate-limited', 'admin-requests', { allowance })
  }
}

/** RFC 6750 section 2.1, and nothing else: no query, no form, no second header. */
function mistakeIn([authorization, ...more]: readonly string[], expected: Buffer): Refusal | null {
  if (authorization === undefined) return new Refusal('credential-missing', 'admin-token-missing')
  if (more.length > 0) return new Refusal('credential-ambiguous', 'authorization-repeated')
  const [, presented] = /^bearer +(\S+)$/i.exec(authorization) ?? []
  // Header values are read byte by byte (latin1); a token in UTF-8 has the same bytes on both sides.
  const matches = timingSafeEqual(digest(Buffer.from(presented ?? '', 'latin1')), expected)
  return presented !== undefined && matches ? null : new Refusal('credential-invalid', 'admin-token-wrong')
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
