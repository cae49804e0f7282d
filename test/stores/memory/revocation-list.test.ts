import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Principal } from '../../../src/domain/credential.ts'
import type { Revocation } from '../../../src/domain/revocation.ts'
import { MemoryRevocationList } from '../../../src/stores/memory/revocation-list.ts'

const CLERK = 'https://clerk.example.com'
const OTHER = 'https://other.example.com'
const NOW = 1_800_000_000_000

const person: Principal = {
  kind: 'jwt',
  plane: 'HUMAN',
  actor: 'human',
  issuer: CLERK,
  subject: 'alice',
  credentialId: 'd'.repeat(64),
  session: 'session-1',
  sessionDigest: null,
  tokenId: 'token-1',
  issuedAt: 1000,
  expiresAt: 2000,
  scopes: [],
  roles: [],
  account: null,
  team: null,
  clientId: null,
  delegation: null,
  claims: {},
}
const apiKey: Principal = {
  ...person,
  kind: 'api-key',
  issuer: null,
  credentialId: 'key-1',
  session: null,
  tokenId: null,
  issuedAt: null,
}

/** A revocation and when it is forgotten; absent: never. */
type Kept = Revocation & { readonly until?: number }

const session: Kept = { kind: 'session', issuer: CLERK, session: 'session-1' }
const token: Kept = { kind: 'token', issuer: CLERK, tokenId: 'token-1' }
const subject: Kept = { kind: 'subject', issuer: CLERK, subject: 'alice', issuedUpTo: 1000 }

function setUp(...revocations: Kept[]) {
  const clock = { ms: NOW, now: () => clock.ms, monotonic: () => 0 }
  const list = new MemoryRevocationList(clock)
  for (const { until = Number.POSITIVE_INFINITY, ...revocation } of revocations) list.revoke(revocation, until)
  return { clock, list }
}

const cases: [string, Kept, Partial<Principal>, string | null][] = [
  ['its session', session, {}, 'session-revoked'],
  ['another session', session, { session: 'session-2' }, null],
  ['the same session name of another issuer', session, { issuer: OTHER }, null],
  ['a token without session', session, { session: null }, null],
  ['the session, of every issuer', { ...session, issuer: null }, { issuer: OTHER }, 'session-revoked'],
  ['its token id', token, {}, 'token-revoked'],
  ['another token id', token, { tokenId: 'token-2' }, null],
  ['the same token id of another issuer', token, { issuer: OTHER }, null],
  ['a token without id', token, { tokenId: null }, null],
  ['the token id, of every issuer', { ...token, issuer: null }, { issuer: OTHER }, 'token-revoked'],
  ['a session named like the token id', token, { session: 'token-1', tokenId: null }, null],
  ['its subject, issued at the moment', subject, {}, 'subject-revoked'],
  ['its subject, issued before', subject, { issuedAt: 1 }, 'subject-revoked'],
  ['its subject, issued after', subject, { issuedAt: 1001 }, null],
  ['its subject, issued who knows when', subject, { issuedAt: null }, 'subject-revoked'],
  ['another subject', subject, { subject: 'Alice' }, null],
  ['the same subject of another issuer', subject, { issuer: OTHER }, null],
  ['the subject, of every issuer', { ...subject, issuer: null }, { issuer: OTHER }, 'subject-revoked'],
  ['its digest', { kind: 'credential', credentialId: 'd'.repeat(64) }, {}, 'credential-revoked'],
  ['another digest', { kind: 'credential', credentialId: 'e'.repeat(64) }, {}, null],
  ['the key id', { kind: 'credential', credentialId: 'key-1' }, apiKey, 'credential-revoked'],
  ['a key whose owner has the name of the subject', { ...subject, issuer: null }, apiKey, null],
  ['an entry that has not ended', { ...session, until: NOW + 1 }, {}, 'session-revoked'],
  ['an entry that has ended', { ...session, until: NOW }, {}, null],
]

describe('memory revocation list', () => {
  it('is quick to say nothing when it is empty', () => {
    assert.equal(setUp().list.revoked(person), null)
  })

  for (const [name, revocation, change, expected] of cases) {
    it(`${name}: ${expected ?? 'still counts'}`, () => {
      assert.equal(setUp(revocation).list.revoked({ ...person, ...change }), expected)
    })
  }

  it('never takes back: the later moment and the later end hold, in any order', () => {
    const orders = [
      [
        { ...subject, issuedUpTo: 500, until: NOW + 100 },
        { ...subject, issuedUpTo: 1000, until: NOW + 50 },
      ],
      [
        { ...subject, issuedUpTo: 1000, until: NOW + 50 },
        { ...subject, issuedUpTo: 500, until: NOW + 100 },
      ],
    ]
    for (const order of orders) {
      const { clock, list } = setUp(...order)
      clock.ms = NOW + 75
      assert.equal(list.revoked(person), 'subject-revoked')
      assert.equal(list.size, 1)
    }
  })

  it('forgets what has ended while others are added, and never anything else', () => {
    const { clock, list } = setUp(session)
    for (let i = 0; i < 1000; i++) list.revoke({ ...session, issuer: i % 2 ? OTHER : CLERK, session: `short-${i}` }, NOW + 10)
    clock.ms = NOW + 10
    for (let i = 0; i < 500; i++) list.revoke({ ...session, session: `long-${i}` }, NOW + 1_000_000)
    assert.ok(list.size <= 502, `${list.size} entries`)
    assert.equal(list.revoked(person), 'session-revoked')
    for (let i = 0; i < 500; i++) assert.equal(list.revoked({ ...person, session: `long-${i}` }), 'session-revoked')
  })

  it('frees by a sweep what has ended, and nothing else', () => {
    const { clock, list } = setUp({ ...session, until: NOW + 10 }, { ...token, until: NOW + 10 }, subject)
    list.sweep(10)
    assert.equal(list.size, 3)
    clock.ms = NOW + 10
    for (let round = 0; round < 2; round++) list.sweep(10)
    assert.equal(list.size, 1)
    assert.equal(list.revoked(person), 'subject-revoked')
  })

  it('has no two pairs of issuer and session with one spelling', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ':', '"', ',', '\0', '\\'), maxLength: 4 })
    fc.assert(
      fc.property(text, text, text, text, (issuer, id, otherIssuer, otherId) => {
        const { list } = setUp({ ...session, issuer, session: id })
        const same = issuer === otherIssuer && id === otherId
        assert.equal(list.revoked({ ...person, issuer: otherIssuer, session: otherId }), same ? 'session-revoked' : null)
      }),
    )
  })
})
