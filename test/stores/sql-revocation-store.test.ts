import assert from 'node:assert/strict'
import { copyFileSync, renameSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import type { Principal } from '../../src/domain/credential.ts'
import type { Revocation } from '../../src/domain/revocation.ts'
import { forgetRevocations } from '../../src/stores/sql/forgetting.ts'
import { SOON, within } from '../contracts/credential-store.ts'
import { fakeClock, realClock } from './api-key-fixtures.ts'
import {
  DAY,
  fillRevocations,
  follow,
  freshUrl,
  ISSUER,
  machine,
  OTHER_ISSUER,
  person,
  RETENTION,
  revokeElsewhere,
  session,
} from './revocation-fixtures.ts'

const NOW = 1_800_000_000_000

const token: Revocation = { kind: 'token', issuer: ISSUER, tokenId: 'token-1' }
const subject: Revocation = { kind: 'subject', issuer: ISSUER, subject: 'alice', issuedUpTo: 1000 }
const digest: Revocation = { kind: 'credential', credentialId: 'd'.repeat(64) }

/** What is revoked, who comes, and what they are told. */
const hits: readonly (readonly [string, Revocation, Principal, string | null])[] = [
  ['its session', session('session-1'), person(), 'session-revoked'],
  ['another session', session('session-1'), person({ session: 'session-2' }), null],
  ['the session name of another issuer', session('session-1'), person({ issuer: OTHER_ISSUER }), null],
  ['the session of every issuer', session('session-1', null), person({ issuer: OTHER_ISSUER }), 'session-revoked'],
  ['an issuer that only begins alike', session('session-1', `${ISSUER}/`), person(), null],
  ['an issuer in other letters', session('session-1', 'https://ID.example.com'), person(), null],
  ['a token without session', session('session-1'), person({ session: null }), null],
  [
    'a session that looks like SQL',
    session("'; drop table revocations; --"),
    person({ session: "'; drop table revocations; --" }),
    'session-revoked',
  ],
  ['a session with a percent sign, which is no pattern', session('%'), person(), null],
  ['a session in Unicode', session('sitzung-ü-🔑'), person({ session: 'sitzung-ü-🔑' }), 'session-revoked'],
  ['the same to the eye, other code points', session('\u00fc'), person({ session: 'u\u0308' }), null],
  ['a session with NUL', session('a\0b'), person({ session: 'a\0b' }), 'session-revoked'],
  ['the part before the NUL', session('a\0b'), person({ session: 'a' }), null],
  ['a space at the end', session('session-1 '), person(), null],
  ['issuer and session cut elsewhere', session('b:c', 'a'), person({ issuer: 'a:b', session: 'c' }), null],
  ['issuer and session with a line end', session('b\nc', 'a'), person({ issuer: 'a\nb', session: 'c' }), null],
  ['its token id', token, person(), 'token-revoked'],
  ['the token id as a session', token, person({ session: 'token-1', tokenId: null }), null],
  ['the token id of another issuer', token, person({ issuer: OTHER_ISSUER }), null],
  ['the token id of every issuer', { ...token, issuer: null }, person({ issuer: OTHER_ISSUER }), 'token-revoked'],
  ['its subject, issued one second before', subject, person({ issuedAt: 999 }), 'subject-revoked'],
  ['its subject, issued in that second', subject, person({ issuedAt: 1000 }), 'subject-revoked'],
  ['its subject, issued one second later', subject, person({ issuedAt: 1001 }), null],
  ['its subject, issued who knows when', subject, person({ issuedAt: null }), 'subject-revoked'],
  ['another subject', subject, person({ subject: 'alicia' }), null],
  ['the subject at another issuer', subject, person({ issuer: OTHER_ISSUER }), null],
  ['a key whose owner has that name', { ...subject, issuer: null }, machine({ subject: 'alice' }), null],
  ['the digest of a token', digest, person(), 'credential-revoked'],
  ['another digest', digest, person({ credentialId: 'e'.repeat(64) }), null],
  ['the id of an API key', { kind: 'credential', credentialId: 'CqpWxhOdnFEl5oDO' }, machine(), 'credential-revoked'],
  ['the id in other letters', { kind: 'credential', credentialId: 'CQPWXHODNFEL5ODO' }, machine(), null],
]

describe('revocations in a database: whom they hit', () => {
  for (const [name, revocation, principal, expected] of hits) {
    it(`${name}: ${expected ?? 'still counts'}, at once, at another gateway, and after a restart`, async (test) => {
      const url = await freshUrl(test)
      const clock = fakeClock(NOW)
      const [here, there] = [await follow(test, url, { clock }), await follow(test, url, { clock })]
      assert.equal(here.store.revoked(principal), null)
      await here.store.revoke(revocation, 'test')
      assert.equal(here.store.revoked(principal), expected)
      clock.advance(201)
      assert.equal(there.store.revoked(principal), expected)
      await Promise.all([here.close(), there.close()])
      assert.equal((await follow(test, url, { clock })).store.revoked(principal), expected)
    })
  }

  it('the later watermark of a subject holds, whichever came last', async (test) => {
    const url = await freshUrl(test)
    const { store } = await follow(test, url, { clock: fakeClock(NOW) })
    await store.revoke({ ...subject, issuedUpTo: 2000 }, 'test')
    await store.revoke(subject, 'test')
    assert.equal(store.revoked(person({ issuedAt: 2000 })), 'subject-revoked')
    const again = await follow(test, url, { clock: fakeClock(NOW) })
    assert.equal(again.store.revoked(person({ issuedAt: 2000 })), 'subject-revoked')
    assert.equal(again.store.revoked(person({ issuedAt: 2001 })), null)
  })

  const refused: readonly (readonly [string, Revocation])[] = [
    ['an empty session', session('')],
    ['an empty issuer', session('s', '')],
    ['more than any token can hold', session('s'.repeat(1025))],
    ['an unpaired surrogate, which the database would change', session('\ud800')],
    ['a moment that is none', { ...subject, issuedUpTo: Number.NaN }],
  ]
  for (const [name, revocation] of refused) {
    it(`refuses ${name}, and writes nothing`, async (test) => {
      const { store } = await follow(test, await freshUrl(test), { clock: fakeClock(NOW) })
      await assert.rejects(store.revoke(revocation, 'test'), { code: 'request-malformed', reason: 'revocation-invalid' })
      assert.deepEqual(await store.listRevocations(), [])
    })
  }

  it('lists what is in force, newest first, as it was asked for', async (test) => {
    const clock = fakeClock(NOW)
    const { store } = await follow(test, await freshUrl(test), { clock })
    const kept = []
    for (const revocation of [session('s', null), token, subject, digest])
      kept.unshift(await store.revoke(revocation, 'admin-api 10.0.0.7'))
    assert.deepEqual(await store.listRevocations(), kept)
    assert.deepEqual(
      kept.map(({ at, until, by }) => [at, until, by]),
      kept.map(() => [NOW, NOW + RETENTION, 'admin-api 10.0.0.7']),
    )
    clock.advance(RETENTION)
    assert.deepEqual(await store.listRevocations(), [])
  })
})

describe('revocations in a database: following others', () => {
  it('has what another connection revokes within 250 ms, without being asked', async (test) => {
    const url = await freshUrl(test)
    const { store } = await follow(test, url, { clock: realClock })
    await revokeElsewhere(url, realClock, session('session-1'))
    await within(SOON, 'the session is known', () => store.size === 1)
    assert.equal(store.revoked(person()), 'session-revoked')
  })

  it('asks by itself when the timer is late', async (test) => {
    const url = await freshUrl(test)
    const clock = fakeClock(NOW)
    const { store } = await follow(test, url, { clock })
    await revokeElsewhere(url, clock, session('session-1'))
    clock.advance(201)
    assert.equal(store.revoked(person()), 'session-revoked')
  })

  it('catches up with 100,000 that come at once, in pieces, and knows them all after a restart', async (test) => {
    const url = await freshUrl(test)
    const { db, store } = await follow(test, url, { clock: realClock })
    await fillRevocations(db, 100_000, Number.MAX_SAFE_INTEGER)
    await within(10_000, 'all are known', () => store.size === 100_000)
    const again = await follow(test, url, { clock: realClock })
    assert.equal(again.store.size, 100_000)
    for (const number of [1, 50_000, 100_000])
      assert.equal(again.store.revoked(person({ session: `filled-${number}` })), 'session-revoked')
    assert.equal(again.store.revoked(person({ session: 'filled-100001' })), null)
  })

  it('reads everything anew when rows were deleted by hand', async (test) => {
    const url = await freshUrl(test)
    const clock = fakeClock(NOW)
    const { db, store } = await follow(test, url, { clock })
    await store.revoke(session('session-1'), 'test')
    await store.revoke(session('session-2'), 'test')
    await db.kysely.deleteFrom('revocations').where('value', '=', 'session-1').execute()
    await within(2_000, 'the session counts again', () => {
      clock.advance(201)
      return store.revoked(person()) === null
    })
    assert.equal(store.revoked(person({ session: 'session-2' })), 'session-revoked')
  })

  it('reads everything anew when a backup was restored in place, also what was revoked since under the same numbers', async (test) => {
    const url = await freshUrl(test)
    const clock = fakeClock(NOW)
    const { db, store } = await follow(test, url, { clock })
    const file = new DatabaseSync(db.path)
    await backup(file, `${db.path}.backup`)
    file.close()
    await store.revoke(session('session-1'), 'test')
    clock.advance(201)
    assert.equal(store.revoked(person()), 'session-revoked')
    const saved = new DatabaseSync(`${db.path}.backup`)
    await backup(saved, db.path)
    saved.close()
    await revokeElsewhere(url, clock, session('session-2'))
    await within(2_000, 'the newer revocation is known', () => {
      clock.advance(201)
      return store.revoked(person({ session: 'session-2' })) === 'session-revoked'
    })
    assert.equal(store.revoked(person()), null)
  })
})

describe('revocations in a database: cannot tell', () => {
  const losses: readonly (readonly [string, string, (path: string) => void])[] = [
    ['the file was deleted', 'database-replaced', (path) => rmSync(path)],
    [
      'another file is in its place',
      'database-replaced',
      (path) => {
        copyFileSync(path, `${path}.copy`)
        renameSync(`${path}.copy`, path)
      },
    ],
  ]
  for (const [name, reason, lose] of losses) {
    it(`${name}: answers for maxStaleness, then refuses, and writes nothing`, async (test) => {
      const clock = fakeClock(NOW)
      const { db, store } = await follow(test, await freshUrl(test), { clock })
      await store.revoke(session('session-1'), 'test')
      lose(db.path)
      clock.advance(5_000)
      assert.equal(store.revoked(person()), 'session-revoked')
      assert.equal(store.revoked(person({ session: 'session-2' })), null)
      store.check()
      clock.advance(1)
      const unavailable = { code: 'revocation-unavailable', reason }
      assert.throws(() => store.revoked(person()), unavailable)
      assert.throws(() => store.revoked(person({ session: 'session-2' })), unavailable)
      assert.throws(() => store.check(), unavailable)
      await assert.rejects(store.revoke(session('session-3'), 'test'), { code: 'store-unavailable', reason })
    })
  }

  it('recovers when the file is back, with what was revoked meanwhile', async (test) => {
    const url = await freshUrl(test)
    const clock = fakeClock(NOW)
    const { db, store } = await follow(test, url, { clock })
    renameSync(db.path, `${db.path}.away`)
    clock.advance(5_001)
    assert.throws(() => store.revoked(person()), { code: 'revocation-unavailable' })
    renameSync(`${db.path}.away`, db.path)
    await revokeElsewhere(url, clock, session('session-1'))
    assert.equal(store.revoked(person()), 'session-revoked')
  })

  it('goes by what it knew last where the configuration allows it', async (test) => {
    const clock = fakeClock(NOW)
    const { db, store } = await follow(test, await freshUrl(test), { clock, onUnavailable: 'allow' })
    await store.revoke(session('session-1'), 'test')
    rmSync(db.path)
    clock.advance(DAY)
    assert.equal(store.revoked(person()), 'session-revoked')
    assert.equal(store.revoked(person({ session: 'session-2' })), null)
    assert.ok(store.staleness() >= DAY)
    store.check()
  })

  it('refuses after the database was closed', async (test) => {
    const clock = fakeClock(NOW)
    const { store, close } = await follow(test, await freshUrl(test), { clock })
    await close()
    clock.advance(5_001)
    assert.throws(() => store.revoked(person()), { code: 'revocation-unavailable', reason: 'database-closed' })
    await assert.rejects(store.revoke(session('s'), 'test'), { code: 'store-unavailable' })
  })

  it('takes a shorter maxStaleness at its word', async (test) => {
    const clock = fakeClock(NOW)
    const { db, store } = await follow(test, await freshUrl(test), { clock, maxStaleness: 50 })
    rmSync(db.path)
    clock.advance(50)
    assert.equal(store.revoked(person()), null)
    clock.advance(1)
    assert.throws(() => store.revoked(person()), { code: 'revocation-unavailable' })
  })

  const unreadable: readonly (readonly [string, Record<string, unknown>])[] = [
    ['a kind that nobody knows', { kind: 'everybody' }],
    ['a subject without its moment', { kind: 'subject' }],
    ['an end that is no time', { until: 'never' }],
  ]
  for (const [name, change] of unreadable) {
    it(`does not take a row for nothing: ${name}`, async (test) => {
      const url = await freshUrl(test)
      const clock = fakeClock(NOW)
      const { db, store } = await follow(test, url, { clock })
      await revokeElsewhere(url, clock, session('session-1'))
      await db.kysely.updateTable('revocations').set(change).execute()
      clock.advance(5_001)
      const damaged = { code: 'revocation-unavailable', reason: 'record-unreadable' }
      assert.throws(() => store.revoked(person({ session: 'session-2' })), damaged)
      await assert.rejects(follow(test, url, { clock }), damaged)
    })
  }

  it('cannot tell when the table is gone', async (test) => {
    const clock = fakeClock(NOW)
    const { db, store } = await follow(test, await freshUrl(test), { clock })
    await db.kysely.schema.dropTable('revocations').execute()
    clock.advance(5_001)
    assert.throws(() => store.revoked(person()), { code: 'revocation-unavailable', reason: 'database-failed' })
  })
})

describe('revocations in a database: forgetting', () => {
  it('keeps each for the retention, in memory and in the database, then neither', async (test) => {
    const url = await freshUrl(test)
    const clock = fakeClock(NOW)
    const { db, store } = await follow(test, url, { clock })
    await store.revoke(session('session-1'), 'test')
    const count = async () => (await db.kysely.selectFrom('revocations').select('id').execute()).length
    clock.advance(RETENTION - 1)
    assert.equal(await forgetRevocations(db.kysely, clock.now()), false)
    assert.deepEqual([store.revoked(person()), await count()], ['session-revoked', 1])
    clock.advance(1)
    assert.equal(store.revoked(person()), null)
    await forgetRevocations(db.kysely, clock.now())
    for (let round = 0; round < 2; round++) store.sweep(10)
    assert.deepEqual([store.size, await count()], [0, 0])
    assert.equal((await follow(test, url, { clock })).store.revoked(person()), null)
  })

  it('never forgets the id of an API key, which may have no end', async (test) => {
    const clock = fakeClock(NOW)
    const { db, store } = await follow(test, await freshUrl(test), { clock })
    await store.revoke({ kind: 'credential', credentialId: 'CqpWxhOdnFEl5oDO' }, 'test')
    clock.advance(100_000 * DAY)
    await forgetRevocations(db.kysely, clock.now())
    assert.equal(store.revoked(machine()), 'credential-revoked')
    assert.equal((await store.listRevocations()).length, 1)
  })

  it('deletes a little at a time, and no other gateway takes that for a deletion by hand', async (test) => {
    const url = await freshUrl(test)
    const clock = fakeClock(NOW)
    const here = await follow(test, url, { clock })
    await fillRevocations(here.db, 1_200, NOW + DAY)
    const there = await follow(test, url, { clock })
    await there.store.revoke(session('session-1'), 'test')
    clock.advance(DAY)
    const more = []
    for (let batch = 0; batch < 3; batch++) more.push(await forgetRevocations(here.db.kysely, clock.now()))
    assert.deepEqual(more, [true, true, false])
    const left = await here.db.kysely.selectFrom('revocations').select('value').execute()
    assert.deepEqual(
      left.map(({ value }) => value),
      ['session-1'],
    )
    for (const { store } of [here, there]) {
      clock.advance(201)
      assert.equal(store.revoked(person()), 'session-revoked')
    }
    await here.store.revoke(session('session-2'), 'test')
    clock.advance(201)
    assert.equal(there.store.revoked(person({ session: 'session-2' })), 'session-revoked')
  })
})
