import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ApiKeyRecord, CredentialStore } from '../../src/ports/credential-store.ts'
import type { Verification } from '../../src/ports/verifier.ts'
import { Refusal } from '../../src/problem/refusal.ts'
import { apiKeyVerifier } from '../../src/stores/api-keys/api-key-verifier.ts'
import { mintApiKey } from '../../src/stores/api-keys/format.ts'
import { apiKeyRecord } from '../contracts/credential-store.ts'
import { fakeClock, inboundFrom } from './api-key-fixtures.ts'

const NOW = 1_750_000_000_000
const minted = mintApiKey('stg')
const genuine = apiKeyRecord({ id: minted.id, digest: minted.digest, cidrs: [], createdAt: NOW - 1_500 })

function storeOf(find: (id: string) => ApiKeyRecord | null): CredentialStore & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    findApiKey(id) {
      asked.push(id)
      return find(id)
    },
  }
}

interface Attempt {
  readonly record: ApiKeyRecord | null
  readonly key: string
  readonly address: string
  readonly environment: 'development' | 'staging' | 'production'
}

/** What is verified when a test changes nothing: a genuine key. */
const HONEST: Attempt = { record: genuine, key: minted.key, address: '10.1.2.3', environment: 'staging' }

function attempt(change: Partial<Attempt>): { answer: Verification; asked: string[] } {
  const { record, key, address, environment } = { ...HONEST, ...change }
  const store = storeOf((id) => (record?.id === id ? record : null))
  const answer = apiKeyVerifier({ store, environment, clock: fakeClock(NOW) }).verify(key, inboundFrom(address))
  assert.ok(!(answer instanceof Promise), 'a store that answers at once is answered at once')
  return { answer, asked: store.asked }
}

describe('API key verifier', () => {
  it('takes a genuine key for a service of its owner', () => {
    const { answer, asked } = attempt({ record: { ...genuine, expiresAt: NOW + 1_999 } })
    assert.deepEqual(asked, [minted.id])
    assert.deepEqual(answer, {
      verified: true,
      principal: {
        kind: 'api-key',
        plane: 'MACHINE',
        actor: 'service',
        issuer: null,
        subject: 'billing',
        credentialId: minted.id,
        session: null,
        sessionDigest: null,
        tokenId: null,
        issuedAt: 1_749_999_998,
        expiresAt: 1_750_000_001,
        scopes: ['jobs:run', 'jobs:read'],
        roles: [],
        account: null,
        team: null,
        clientId: minted.id,
        delegation: null,
        claims: {},
      },
    })
  })

  const id = minted.id
  const refusals: readonly (readonly [string, Partial<Attempt>, string, string | undefined, number])[] = [
    ['nothing', { key: '' }, 'key-malformed', undefined, 0],
    ['a token', { key: 'eyJhbGciOiJSUzI1NiJ9.e30.AAAA' }, 'key-malformed', undefined, 0],
    [
      'a mistyped key',
      { key: `${minted.key.slice(0, -1)}${minted.key.endsWith('0') ? '1' : '0'}` },
      'key-malformed',
      undefined,
      0,
    ],
    ['a key in a longer text', { key: `${minted.key},${minted.key}` }, 'key-malformed', undefined, 0],
    ["production's key", { environment: 'production' }, 'wrong-environment', id, 0],
    ["development's key", { environment: 'development' }, 'wrong-environment', id, 0],
    ['an unknown id', { record: null }, 'unknown-key', id, 1],
    ['a wrong secret', { record: { ...genuine, digest: mintApiKey('stg').digest } }, 'digest-mismatch', id, 1],
    [
      'a wrong secret of a revoked key',
      { record: { ...genuine, digest: mintApiKey('stg').digest, revokedAt: 1 } },
      'digest-mismatch',
      id,
      1,
    ],
    ['the digest of nothing', { record: { ...genuine, digest: '0'.repeat(64) } }, 'digest-mismatch', id, 1],
    ['a revoked key', { record: { ...genuine, revokedAt: NOW + 9 } }, 'revoked', id, 1],
    ['a revoked and expired key', { record: { ...genuine, revokedAt: 1, expiresAt: 1 } }, 'revoked', id, 1],
    ['a key at its end', { record: { ...genuine, expiresAt: NOW } }, 'expired', id, 1],
    ['a key past its end', { record: { ...genuine, expiresAt: NOW - 1 } }, 'expired', id, 1],
    ['a key that ends at the epoch', { record: { ...genuine, expiresAt: 0 } }, 'expired', id, 1],
    ['another network', { record: { ...genuine, cidrs: ['10.2.0.0/16'] } }, 'address-not-allowed', id, 1],
    [
      'an address that is none',
      { record: { ...genuine, cidrs: ['0.0.0.0/0', '::/0'] }, address: 'unknown' },
      'address-unreadable',
      id,
      1,
    ],
    ['no address', { record: { ...genuine, cidrs: ['0.0.0.0/0'] }, address: '' }, 'address-unreadable', id, 1],
  ]
  for (const [name, change, reason, credentialId, lookups] of refusals) {
    it(`refuses ${name}: ${reason}`, () => {
      const { answer, asked } = attempt(change)
      assert.deepEqual(answer, { verified: false, reason, ...(credentialId && { credentialId }) })
      assert.equal(asked.length, lookups)
    })
  }

  const accepted: readonly (readonly [string, Partial<Attempt>])[] = [
    ['a millisecond before its end', { record: { ...genuine, expiresAt: NOW + 1 } }],
    ['within its network', { record: { ...genuine, cidrs: ['192.0.2.0/24', '10.1.0.0/16'] } }],
    ['within its network, as IPv4-mapped IPv6', { record: { ...genuine, cidrs: ['10.1.0.0/16'] }, address: '::ffff:10.1.9.9' }],
    ['from nowhere when any network will do', { address: '' }],
    ['while its successor exists', { record: { ...genuine, replacedBy: '0123456789abcdef', expiresAt: NOW + 5 } }],
  ]
  for (const [name, change] of accepted) it(`accepts a key ${name}`, () => assert.equal(attempt(change).answer.verified, true))

  const unreadable: readonly (readonly [string, Partial<ApiKeyRecord>])[] = [
    ['a digest that is no SHA-256', { digest: 'abcd' }],
    ['an empty digest', { digest: '' }],
    ['a network that is none', { cidrs: ['10.0.0.0/8', 'everywhere'] }],
  ]
  for (const [name, change] of unreadable) {
    it(`cannot tell when the record has ${name}`, () => {
      assert.throws(() => attempt({ record: { ...genuine, ...change } }), {
        code: 'store-unavailable',
        reason: 'record-unreadable',
      })
    })
  }

  it('gives one frozen principal for one record, and another for a changed record', () => {
    let record = genuine
    const verifier = apiKeyVerifier({ store: storeOf(() => record), environment: 'staging', clock: fakeClock(NOW) })
    const principal = () => {
      const answer = verifier.verify(minted.key, inboundFrom('10.1.2.3'))
      return 'verified' in answer && answer.verified ? answer.principal : assert.fail('not verified')
    }
    const first = principal()
    assert.equal(principal(), first)
    assert.ok([first, first.scopes, first.roles, first.claims].every(Object.isFrozen))
    record = { ...genuine, scopes: [] }
    assert.notEqual(principal(), first)
    assert.deepEqual(principal().scopes, [])
  })

  it('waits for a store that answers later', async () => {
    const slow = { findApiKey: async (wanted: string) => (wanted === genuine.id ? genuine : null) }
    const verifier = apiKeyVerifier({ store: slow, environment: 'staging', clock: fakeClock(NOW) })
    const answer = verifier.verify(minted.key, inboundFrom('10.1.2.3'))
    assert.ok(answer instanceof Promise)
    assert.equal((await answer).verified, true)
    assert.equal((await verifier.verify(mintApiKey('stg').key, inboundFrom('10.1.2.3'))).verified, false)
  })

  it('passes on that the store cannot tell', () => {
    const store = storeOf(() => {
      throw new Refusal('store-unavailable', 'database-corrupt')
    })
    const verifier = apiKeyVerifier({ store, environment: 'staging', clock: fakeClock(NOW) })
    assert.throws(() => verifier.verify(minted.key, inboundFrom('10.1.2.3')), { code: 'store-unavailable' })
  })
})
