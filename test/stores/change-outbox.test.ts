import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { sql } from 'kysely'
import type { ChangeRecord } from '../../src/domain/change-record.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { ChangeOutbox } from '../../src/stores/sql/change-outbox.ts'
import { forgetChanges } from '../../src/stores/sql/forgetting.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { revocationRegistry } from '../../src/stores/sql/revocation-registry.ts'
import { sqlCredentialStore } from '../../src/stores/sql/sql-credential-store.ts'
import { watchDatabase } from '../../src/stores/sql/watched-database.ts'
import { apiKeyRecord, within } from '../contracts/credential-store.ts'
import { realClock } from './api-key-fixtures.ts'
import { DAY, freshUrl, ISSUER, RETENTION, session } from './revocation-fixtures.ts'

/** An audit log that a test stops and starts. */
function auditLog() {
  const log = { records: [] as ChangeRecord[], broken: false, held: null as Promise<void> | null, asked: 0 }
  return {
    log,
    async appendChange(record: ChangeRecord): Promise<void> {
      log.asked += 1
      if (log.broken) throw new Error('no disk')
      if (log.held !== null) await log.held
      log.records.push(record)
    },
  }
}

async function gateway(test: TestContext, url: string, clock: Clock = realClock) {
  const db = await openDatabase({ url, migrate: 'auto' })
  const watched = watchDatabase(db, clock)
  const audit = auditLog()
  const told: string[] = []
  const events = { failed: (error: unknown) => told.push(String(error)), restored: () => told.push('restored') }
  const outbox = new ChangeOutbox(db, { clock, watched, auditLog: audit, events })
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await outbox.close()
    watched.close()
    await db.close()
  }
  test.after(close)
  const revocations = revocationRegistry(db.kysely, { clock, retention: RETENTION, watch: watched.watch })
  const keys = sqlCredentialStore(db, { clock, watched })
  const waiting = async () =>
    (await db.kysely.selectFrom('changes').select('change_id').where('recorded_at', 'is', null).execute()).length
  return { db, outbox, audit: audit.log, told, revocations, keys, waiting, close }
}

describe('change outbox', () => {
  it('records every kind of change in order, says who and what, and holds no secret and no session', async (test) => {
    const { outbox, audit, revocations, keys, waiting } = await gateway(test, await freshUrl(test))
    const [old, next] = [apiKeyRecord({ expiresAt: 5_000 }), apiKeyRecord({ scopes: [] })]
    await keys.createApiKey(old, 'admin-api 10.0.0.7')
    await keys.rotateApiKey(old.id, next, 1_000, 'admin-api 10.0.0.7')
    await keys.revokeApiKey(next.id, 9, 'command-line root@host')
    await revocations.revoke(session('session-1'), 'command-line root@host')
    await revocations.revoke(session('session-1', null), 'x')
    await revocations.revoke({ kind: 'token', issuer: null, tokenId: 'token-1' }, 'x')
    await revocations.revoke({ kind: 'subject', issuer: ISSUER, subject: 'alice', issuedUpTo: 7 }, 'x')
    await revocations.revoke({ kind: 'credential', credentialId: old.id }, 'x')
    await outbox.settled()
    assert.equal(await waiting(), 0)
    assert.deepEqual(
      audit.records.map(({ action, by, what: { revocation: _, ...what } }) => [action, by, what]),
      [
        [
          'key-created',
          'admin-api 10.0.0.7',
          { key: old.id, owner: 'billing', scopes: old.scopes, cidrs: old.cidrs, endsAt: '1970-01-01T00:00:05.000Z' },
        ],
        [
          'key-rotated',
          'admin-api 10.0.0.7',
          { key: old.id, owner: 'billing', endsAt: '1970-01-01T00:00:01.000Z', replacedBy: next.id },
        ],
        ['key-revoked', 'command-line root@host', { key: next.id, owner: 'billing' }],
        // printf 'https://id.example.com\nsession-1' | sha256sum
        [
          'revocation-added',
          'command-line root@host',
          { kind: 'session', issuer: ISSUER, session: 'd0e57b53947ce48ff63ef18955f8f5475aa2a74f7c54303643cd696fa3a47fb0' },
        ],
        [
          'revocation-added',
          'x',
          { kind: 'session', issuer: null, session: '138d302983d5a5bafb88ef43c521a9c47048d823f42ce7290fdfe15b2efa21ca' },
        ],
        ['revocation-added', 'x', { kind: 'token', issuer: null, tokenId: 'token-1' }],
        ['revocation-added', 'x', { kind: 'subject', issuer: ISSUER, subject: 'alice', issuedUpTo: 7 }],
        ['revocation-added', 'x', { kind: 'credential', credentialId: old.id }],
      ],
    )
    assert.equal(new Set(audit.records.map(({ changeId }) => changeId)).size, 8)
    for (const secret of [old.digest, next.digest, 'session-1']) assert.ok(!JSON.stringify(audit.records).includes(secret))
  })

  it('records nothing for what changed nothing or failed', async (test) => {
    const { outbox, audit, revocations, keys } = await gateway(test, await freshUrl(test))
    const key = apiKeyRecord()
    await keys.createApiKey(key, 'x')
    await keys.revokeApiKey(key.id, 1, 'x')
    await outbox.settled()
    await keys.revokeApiKey(key.id, 2, 'x')
    await keys.revokeApiKey('0123456789abcdef', 2, 'x')
    assert.equal(await keys.rotateApiKey(key.id, apiKeyRecord(), 9, 'x'), false)
    await assert.rejects(keys.createApiKey(key, 'x'))
    await assert.rejects(revocations.revoke(session(''), 'x'))
    await outbox.settled()
    assert.deepEqual(
      audit.records.map(({ action }) => action),
      ['key-created', 'key-revoked'],
    )
  })

  it('takes what other processes changed, before its start and while it runs', async (test) => {
    const url = await freshUrl(test)
    const elsewhere = await openDatabase({ url, migrate: 'auto' })
    test.after(() => elsewhere.close())
    const registry = revocationRegistry(elsewhere.kysely, { clock: realClock, retention: RETENTION, watch: null })
    await registry.revoke(session('before'), 'x')
    const { audit, waiting } = await gateway(test, url)
    await within(1_000, 'the earlier change is recorded', () => audit.records.length === 1)
    await registry.revoke(session('after'), 'x')
    await within(1_000, 'the later change is recorded', async () => audit.records.length === 2 && (await waiting()) === 0)
  })

  it('settles only when all changes so far are recorded, also those made while it was writing', async (test) => {
    const { outbox, audit, revocations } = await gateway(test, await freshUrl(test))
    let release = () => {}
    audit.held = new Promise((resolve) => {
      release = resolve
    })
    await revocations.revoke(session('first'), 'x')
    const first = outbox.settled()
    await revocations.revoke(session('second'), 'x')
    const second = outbox.settled()
    assert.equal(audit.records.length, 0)
    release()
    await Promise.all([first, second])
    assert.equal(audit.records.length, 2)
  })

  it('rejects while the log takes nothing, says so once, and records everything in order when it does again', async (test) => {
    const { outbox, audit, told, revocations, waiting } = await gateway(test, await freshUrl(test))
    audit.broken = true
    const ids = []
    for (let number = 0; number < 3; number++) {
      ids.push((await revocations.revoke(session(`s-${number}`), 'x')).id)
      await assert.rejects(outbox.settled(), /no disk/)
    }
    assert.equal(await waiting(), 3)
    assert.deepEqual(told, ['Error: no disk'])
    audit.broken = false
    await within(5_000, 'it tries again by itself', () => audit.records.length === 3)
    await within(1_000, 'it says so', () => told.length === 2)
    assert.deepEqual(
      audit.records.map(({ what }) => what.revocation),
      ids,
    )
    assert.deepEqual([told[1], await waiting()], ['restored', 0])
  })

  it('does not record again what could not be marked', async (test) => {
    const { db, outbox, audit, revocations, waiting } = await gateway(test, await freshUrl(test))
    await revocations.revoke(session('s'), 'x')
    await outbox.settled()
    await revocations.revoke(session('t'), 'x')
    await sql`pragma query_only = on`.execute(db.kysely)
    await assert.rejects(outbox.settled(), { code: 'store-unavailable', reason: 'database-read-only' })
    await assert.rejects(outbox.settled(), { code: 'store-unavailable' })
    await sql`pragma query_only = off`.execute(db.kysely)
    await outbox.settled()
    assert.deepEqual([audit.records.length, await waiting()], [2, 0])
  })

  it('records again, with the same change id, what a process that died had recorded and not marked', async (test) => {
    const url = await freshUrl(test)
    const first = await gateway(test, url)
    await first.revocations.revoke(session('s'), 'x')
    await first.outbox.settled()
    await first.close()
    const dying = await openDatabase({ url, migrate: 'auto' })
    await dying.kysely.updateTable('changes').set({ recorded_at: null }).execute()
    await dying.close()
    const second = await gateway(test, url)
    await second.outbox.settled()
    assert.deepEqual(second.audit.records, first.audit.records)
    assert.equal(first.audit.records.length, 1)
  })

  it('makes a last try when it closes, and does not wait for a disk that hangs', async (test) => {
    const url = await freshUrl(test)
    const first = await gateway(test, url)
    await first.revocations.revoke(session('s'), 'x')
    await first.close()
    assert.equal(first.audit.records.length, 1)
    const second = await gateway(test, url)
    second.audit.held = new Promise(() => {})
    await second.revocations.revoke(session('t'), 'x')
    await second.close()
    const third = await gateway(test, url)
    await third.outbox.settled()
    assert.equal(third.audit.records.length, 1)
  })

  it('is written 1,000 at a time in batches, each once', async (test) => {
    const url = await freshUrl(test)
    const { db, outbox, audit, waiting } = await gateway(test, url)
    const change = { time: '2026-01-02T03:04:05.678Z', action: 'key-revoked', by: 'x', what: '{}', recorded_at: null }
    const rows = Array.from({ length: 1_000 }, (_, index) => ({ ...change, number: index + 1, change_id: `change-${index}` }))
    await db.kysely.insertInto('changes').values(rows).execute()
    await outbox.settled()
    assert.deepEqual(
      audit.records.map(({ changeId }) => changeId),
      rows.map((row) => row.change_id),
    )
    assert.equal(await waiting(), 0)
  })

  it('records a row of another version, or a damaged one, as it stands, and goes on', async (test) => {
    const { db, outbox, audit, revocations, waiting } = await gateway(test, await freshUrl(test))
    audit.broken = true
    await revocations.revoke(session('s'), 'x')
    await db.kysely.updateTable('changes').set({ what: 'no JSON', action: 'key-suspended' }).execute()
    await revocations.revoke(session('t'), 'x')
    audit.broken = false
    await outbox.settled()
    assert.equal(await waiting(), 0)
    assert.deepEqual(
      audit.records.map(({ action, what }) => [action, 'unreadable' in what ? what.unreadable : null]),
      [
        ['key-suspended', 'no JSON'],
        ['revocation-added', null],
      ],
    )
  })

  it('keeps recorded changes for a day, and unrecorded ones for ever', async (test) => {
    const { db, outbox, audit, revocations } = await gateway(test, await freshUrl(test))
    await revocations.revoke(session('s'), 'x')
    await outbox.settled()
    audit.broken = true
    await revocations.revoke(session('t'), 'x')
    const count = async () => (await db.kysely.selectFrom('changes').select('number').execute()).length
    await forgetChanges(db.kysely, Date.now() - DAY)
    assert.equal(await count(), 2)
    await forgetChanges(db.kysely, Date.now() + 1_000 * DAY)
    assert.equal(await count(), 1)
    audit.broken = false
    await outbox.settled()
    assert.equal(audit.records.length, 2)
  })
})
