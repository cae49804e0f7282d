import { hash, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../../domain/credential.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ApiKeyRecord, CredentialStore } from '../../ports/credential-store.ts'
import type { Verification, Verifier } from '../../ports/verifier.ts'
import type { ReasonOf } from '../../problem/reasons.ts'
import { Refusal } from '../../problem/refusal.ts'
import { type Environment, keyEnvironment, parseApiKey } from './format.ts'
import { compileNetworks, type Networks } from './networks.ts'

export interface ApiKeyVerifierOptions {
  readonly store: CredentialStore
  readonly environment: Environment
  readonly clock: Clock
}

/** What a record comes down to, worked out once for each record object. */
interface Compiled {
  readonly digest: Buffer
  /** null: usable from anywhere. */
  readonly networks: Networks | null
  readonly principal: Principal
}

/** Compared with when the id is unknown, so that the answer takes as long as for a wrong secret. No text has this digest. */
const NO_DIGEST = Buffer.alloc(32)

/**
 * Verifies API keys: shape and checksum, environment, lookup by id, digest in constant time, revocation, expiry, network. The secret is
 * proven before anything is said of the record. One record object has one frozen principal, so that what is remembered by a principal's
 * identity stays valid as long as the record does. Answers without a promise when the store does; throws what the store throws.
 */
export function apiKeyVerifier({ store, environment, clock }: ApiKeyVerifierOptions): Verifier {
  const expected = keyEnvironment(environment)
  const compiled = new WeakMap<ApiKeyRecord, Compiled>()

  function compile(record: ApiKeyRecord): Compiled {
    const known = compiled.get(record)
    if (known !== undefined) return known
    const fresh = compileRecord(record)
    compiled.set(record, fresh)
    return fresh
  }

  function judge(id: string, record: ApiKeyRecord | null, secret: string, address: string): Verification {
    const found = record === null ? null : compile(record)
    const same = timingSafeEqual(hash('sha256', secret, 'buffer'), found?.digest ?? NO_DIGEST)
    if (record === null || found === null) return refused('unknown-key', id)
    if (!same) return refused('digest-mismatch', id)
    const reason = reasonAgainst(record, found.networks, address, clock.now())
    return reason === null ? { verified: true, principal: found.principal } : refused(reason, id)
  }

  return {
    verify(secret, inbound) {
      const key = parseApiKey(secret)
      if (key === null) return { verified: false, reason: 'key-malformed' }
      if (key.environment !== expected) return refused('wrong-environment', key.id)
      const record = store.findApiKey(key.id)
      if (record instanceof Promise) return record.then((late) => judge(key.id, late, secret, inbound.clientAddress))
      return judge(key.id, record, secret, inbound.clientAddress)
    },
  }
}

function refused(reason: ReasonOf<'credential-invalid'>, credentialId: string): Verification {
  return { verified: false, reason, credentialId }
}

/** Why a genuine key does not count now; null when it does. */
function reasonAgainst(record: ApiKeyRecord, networks: Networks | null, address: string, now: number) {
  if (record.revokedAt !== null) return 'revoked'
  if (record.expiresAt !== null && now >= record.expiresAt) return 'expired'
  const inside = networks === null || networks.contain(address)
  if (inside === 'unreadable') return 'address-unreadable'
  return inside ? null : 'address-not-allowed'
}

/** A record that cannot be understood must not be read as one without restrictions. */
function compileRecord(record: ApiKeyRecord): Compiled {
  const digest = Buffer.from(record.digest, 'hex')
  if (digest.length !== NO_DIGEST.length) throw new Refusal('store-unavailable', 'record-unreadable', { credentialId: record.id })
  try {
    const networks = record.cidrs.length === 0 ? null : compileNetworks(record.cidrs)
    return { digest, networks, principal: principalOf(record) }
  } catch (cause) {
    throw new Refusal('store-unavailable', 'record-unreadable', { cause, credentialId: record.id })
  }
}

function principalOf(record: ApiKeyRecord): Principal {
  return Object.freeze({
    kind: 'api-key',
    plane: 'MACHINE',
    actor: 'service',
    issuer: null,
    subject: record.owner,
    credentialId: record.id,
    session: null,
    sessionDigest: null,
    tokenId: null,
    issuedAt: Math.floor(record.createdAt / 1000),
    expiresAt: record.expiresAt === null ? null : Math.floor(record.expiresAt / 1000),
    scopes: Object.freeze([...record.scopes]),
    roles: NONE,
    account: null,
    team: null,
    clientId: record.id,
    delegation: null,
    claims: NO_CLAIMS,
  })
}

const NONE: readonly string[] = Object.freeze([])
const NO_CLAIMS: Readonly<Record<string, unknown>> = Object.freeze({})
