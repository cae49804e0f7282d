import assert from 'node:assert/strict'
import { copyFileSync, renameSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { apiKeyVerifier } from '../../src/stores/api-keys/api-key-verifier.ts'
import { mintApiKey } from '../../src/stores/api-keys/format.ts'
import { lookupSql } from '../../src/stores/sql/api-key-registry.ts'
import { sqlCredentialStore } from '../../src/stores/sql/sql-credential-store.ts'
import { apiKeyRecord } from '../contracts/credential-store.ts'
import { fakeClock, fill, inboundFrom, openStore } from './api-key-fixtures.ts'

/** Changes something that concerns no API key, as another process would. */
function touch(path: string): void {
  const other = new DatabaseSync(path)
  other.exec('create table if not exists unrelated (n integer); insert into unrelated values (1)')
  other.close()
}

describe('SQLite credential store: memory', () => {
  it('reads a key once while nothing changes', async (test) => {
    const { store } = await openStore(test, { clock: fakeClock(0) })
    const record = apiKeyRecord()
    await store.createApiKey(record, 'test')
    const first = store.findApiKey(record.id)
    const { lookups } = store.usage()
    for (let ask = 0; ask < 1000; ask += 1) assert.equal(store.findApiKey(record.id), first)
    assert.equal(store.usage().lookups, lookups)
  })

  it('reads it once more after a change elsewhere, and gives the same object', async (test) => {
    const clock = fakeClock(0)
    const { store, db } = await openStore(test, { clock })
    const record = apiKeyRecord()
    await store.createApiKey(record, 'test')
    const first = store.findApiKey(record.id)
    const { lookups } = store.usage()
    touch(db.path)
    clock.advance(200)
    for (let ask = 0; ask < 10; ask += 1) assert.equal(store.findApiKey(record.id), first)
    assert.equal(store.usage().lookups, lookups + 1)
  })

  it('gives frozen records', async (test) => {
    const { store } = await openStore(test)
    const record = apiKeyRecord()
    await store.createApiKey(record, 'test')
    const found = store.findApiKey(record.id)
    assert.ok(Object.isFrozen(found) && Object.isFrozen(found?.scopes) && Object.isFrozen(found?.cidrs))
  })

  it('holds a bounded part of 100,000 keys and reads each by its index', async (test) => {
    const { store, db } = await openStore(test, { clock: fakeClock(0), maxKnown: 1000 })
    const ids = await fill(db, 100_000)
    store.findApiKey('0'.repeat(16))
    const before = store.usage().lookups
    for (const id of ids) assert.equal(store.findApiKey(id)?.id, id)
    assert.ok(store.usage().known <= 1000)
    assert.ok(store.usage().lookups - before <= ids.length)
    const used = store.usage().lookups
    for (const id of ids.slice(-400)) store.findApiKey(id)
    assert.equal(store.usage().lookups, used)
    const reader = db.openReader()
    const plan = reader.prepare(`explain query plan ${lookupSql(db.kysely)}`).all('x')
    reader.close()
    assert.match(plan.map((step) => step.detail).join(), /^SEARCH api_keys USING INDEX/)
  })

  it('survives a flood of 1,000,000 unknown ids: bounded, and no known key is pushed out', async (test) => {
    const { store } = await openStore(test, { clock: fakeClock(0), maxKnown: 100, maxUnknown: 5000 })
    const record = apiKeyRecord()
    await store.createApiKey(record, 'test')
    store.findApiKey(record.id)
    for (let index = 0; index < 1_000_000; index += 1) {
      if (store.findApiKey(`flood${index.toString().padStart(11, '0')}`) !== null) assert.fail('found what is not there')
    }
    const { known, unknown, lookups } = store.usage()
    assert.equal(known, 1)
    assert.ok(unknown <= 5000)
    assert.equal(store.findApiKey(record.id)?.id, record.id)
    assert.equal(store.usage().lookups, lookups)
  })

  it('asks the database once for an unknown id that is asked for again', async (test) => {
    const { store } = await openStore(test, { clock: fakeClock(0) })
    for (let ask = 0; ask < 100; ask += 1) store.findApiKey('0123456789abcdef')
    assert.equal(store.usage().lookups, 1)
  })

  it('gives the verifier one principal until the key changes', async (test) => {
    const clock = fakeClock(0)
    const { store, db } = await openStore(test, { clock })
    const { id, key, digest } = mintApiKey('dev')
    await store.createApiKey(apiKeyRecord({ id, digest, cidrs: [] }), 'test')
    const verifier = apiKeyVerifier({ store, environment: 'development', clock })
    const verify = async () => {
      const answer = await verifier.verify(key, inboundFrom('10.1.2.3'))
      return answer.verified ? answer.principal : answer.reason
    }
    const before = await verify()
    assert.equal(typeof before, 'object')
    touch(db.path)
    clock.advance(200)
    assert.equal(await verify(), before)
    await store.revokeApiKey(id, 1, 'test')
    assert.equal(await verify(), 'revoked')
  })
})

describe('SQLite credential store: trouble', () => {
  it('trusts its memory for 250 ms after the file was deleted, then refuses, and recovers when it is back', async (test) => {
    const clock = fakeClock(0)
    const { store, db } = await openStore(test, { clock })
    const record = apiKeyRecord()
    await store.createApiKey(record, 'test')
    store.findApiKey(record.id)
    renameSync(db.path, `${db.path}.away`)
    clock.advance(250)
    assert.equal(store.findApiKey(record.id)?.id, record.id)
    clock.advance(1)
    const gone = { code: 'store-unavailable', reason: 'database-replaced' }
    assert.throws(() => store.findApiKey(record.id), gone)
    assert.throws(() => store.findApiKey('0123456789abcdef'), gone)
    assert.throws(() => store.check(), gone)
    renameSync(`${db.path}.away`, db.path)
    assert.equal(store.findApiKey(record.id)?.id, record.id)
    store.check()
  })

  it('refuses when another file was put in its place', async (test) => {
    const clock = fakeClock(0)
    const { store, db } = await openStore(test, { clock })
    copyFileSync(db.path, `${db.path}.backup`)
    rmSync(db.path)
    renameSync(`${db.path}.backup`, db.path)
    clock.advance(251)
    assert.throws(() => store.findApiKey('0123456789abcdef'), { code: 'store-unavailable', reason: 'database-replaced' })
  })

  for (const part of ['-wal', '-shm']) {
    it(`refuses when the file ${part} was taken away: changes by others would go unseen`, async (test) => {
      const clock = fakeClock(0)
      const { store, db } = await openStore(test, { clock })
      const record = apiKeyRecord()
      await store.createApiKey(record, 'test')
      assert.equal(store.findApiKey(record.id)?.id, record.id)
      rmSync(`${db.path}${part}`)
      clock.advance(251)
      assert.throws(() => store.findApiKey(record.id), { code: 'store-unavailable', reason: 'database-replaced' })
    })
  }

  const unreadable: readonly (readonly [string, Record<string, unknown>])[] = [
    ['scopes that are no JSON', { scopes: 'jobs:run' }],
    ['scopes that are no list', { scopes: '{}' }],
    ['networks that are null', { cidrs: 'null' }],
    ['networks that are no texts', { cidrs: '[8]' }],
    ['an end that is no time', { expires_at: 'never' }],
    ['a revocation that is no time', { revoked_at: 1.5 }],
  ]
  for (const [name, change] of unreadable) {
    it(`cannot tell when a row has ${name}`, async (test) => {
      const { store, db } = await openStore(test)
      const record = apiKeyRecord()
      await store.createApiKey(record, 'test')
      await db.kysely.updateTable('api_keys').set(change).execute()
      const damaged = { code: 'store-unavailable', reason: 'record-unreadable' }
      const fresh = sqlCredentialStore(db, { clock: fakeClock(0) })
      test.after(() => fresh.close())
      assert.throws(() => fresh.findApiKey(record.id), damaged)
      await assert.rejects(fresh.listApiKeys(), damaged)
    })
  }

  it('cannot tell when the table is gone', async (test) => {
    const clock = fakeClock(0)
    const { store, db } = await openStore(test, { clock })
    const record = apiKeyRecord()
    await store.createApiKey(record, 'test')
    store.findApiKey(record.id)
    await db.kysely.schema.dropTable('api_keys').execute()
    clock.advance(200)
    assert.throws(() => store.findApiKey(record.id), { code: 'store-unavailable', reason: 'database-failed' })
    assert.throws(() => store.findApiKey('0123456789abcdef'), { code: 'store-unavailable' })
  })

  const broken: readonly (readonly [string, string, string])[] = [
    ['may not write', 'pragma query_only = on', 'database-read-only'],
    ['has no room', 'pragma max_page_count = 1', 'database-full'],
  ]
  for (const [name, pragma, reason] of broken) {
    it(`still answers when it ${name}, and refuses changes: ${reason}`, async (test) => {
      const { store, db } = await openStore(test)
      const record = apiKeyRecord()
      await store.createApiKey(record, 'test')
      await sql.raw(pragma).execute(db.kysely)
      const large = apiKeyRecord({ owner: 'x'.repeat(100_000) })
      await assert.rejects(store.createApiKey(large, 'test'), { code: 'store-unavailable', reason })
      assert.equal(store.findApiKey(large.id), null)
      assert.deepEqual(store.findApiKey(record.id), record)
    })
  }
})

describe('SQLite credential store: another process writes', () => {
  it('answers requests meanwhile, waits without stopping the process, and writes when it may', async (test) => {
    const { store, db } = await openStore(test)
    const record = apiKeyRecord()
    await store.createApiKey(record, 'test')
    const other = new DatabaseSync(db.path)
    test.after(() => other.close())
    other.exec('begin immediate')
    let ticks = 0
    const ticking = setInterval(() => {
      ticks += 1
      if (ticks === 5) other.exec('commit')
    }, 10)
    test.after(() => clearInterval(ticking))
    const revoked = store.revokeApiKey(record.id, 5, 'test')
    assert.equal(store.findApiKey(record.id)?.revokedAt, null)
    assert.equal(await revoked, true)
    assert.ok(ticks >= 5)
    assert.equal(store.findApiKey(record.id)?.revokedAt, 5)
  })

  it('gives up on a change after a while: database-busy', async (test) => {
    const { store, db } = await openStore(test)
    const record = apiKeyRecord()
    await store.createApiKey(record, 'test')
    const other = new DatabaseSync(db.path)
    test.after(() => other.close())
    other.exec('begin immediate')
    const busy = { code: 'store-unavailable', reason: 'database-busy' }
    await Promise.all([
      assert.rejects(store.revokeApiKey(record.id, 5, 'test'), busy),
      assert.rejects(store.rotateApiKey(record.id, apiKeyRecord(), 5, 'test'), busy),
    ])
    other.exec('rollback')
    assert.deepEqual(store.findApiKey(record.id), record)
    assert.equal(await store.rotateApiKey(record.id, apiKeyRecord(), 5, 'test'), true)
  })
})
