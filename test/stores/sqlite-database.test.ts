import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { sql } from 'kysely'
import { Refusal } from '../../src/problem/refusal.ts'
import { connectDatabase, openDatabase } from '../../src/stores/sql/open-database.ts'
import { migrateDown, migrateUp, readSchemaVersion } from '../../src/stores/sql/schema-version.ts'
import { sqlCredentialStore } from '../../src/stores/sql/sql-credential-store.ts'
import { fakeClock, fill, openStore, realClock, temporaryFolder } from './api-key-fixtures.ts'

async function emptyDatabase(test: TestContext) {
  const url = `sqlite:${join(await temporaryFolder(test), 'planegate.db')}`
  const db = await connectDatabase(url)
  test.after(() => db.close())
  return { url, db }
}

/** As a later version would leave it. */
async function pretendNewer(test: TestContext): Promise<string> {
  const { db, url } = await openStore(test)
  const row = { name: '9999-from-the-future', timestamp: new Date().toISOString() }
  await db.kysely.withTables<{ planegate_migration: typeof row }>().insertInto('planegate_migration').values(row).execute()
  return url
}

describe('opening a SQLite database', () => {
  it('makes missing folders for the owner only, and the files too', async (test) => {
    const folder = await temporaryFolder(test)
    const path = join(folder, 'a', 'b', 'planegate.db')
    const db = await openDatabase({ url: `sqlite:${path}`, migrate: 'auto' })
    test.after(() => db.close())
    const modes = [join(folder, 'a'), join(folder, 'a', 'b'), path, `${path}-wal`, `${path}-shm`].map(
      (name) => statSync(name).mode & 0o777,
    )
    assert.deepEqual(modes, [0o700, 0o700, 0o600, 0o600, 0o600])
  })

  it('reads and writes with the promised settings', async (test) => {
    const { db } = await openStore(test)
    const setting = async (name: string) => {
      const { rows } = await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(db.kysely)
      return Object.values(rows[0] ?? {})[0]
    }
    assert.deepEqual([await setting('journal_mode'), await setting('synchronous'), await setting('foreign_keys')], ['wal', 2, 1])
    const reader = db.openReader()
    assert.throws(() => reader.exec('delete from api_keys'), /readonly/)
    reader.close()
  })

  const urls: readonly (readonly [string, RegExp])[] = [
    ['sqlite:relative.db', /must be sqlite:\/absolute\/path/],
    ['sqlite:', /must be sqlite:\/absolute\/path/],
    ['sqlite::memory:', /must be sqlite:\/absolute\/path/],
    ['', /must be sqlite:\/absolute\/path/],
    ['postgres://planegate:hunter2@db.internal/planegate', /its scheme is "postgres"$/],
  ]
  for (const [url, message] of urls) {
    it(`refuses the URL "${url}"`, async () => {
      await assert.rejects(openDatabase({ url, migrate: 'auto' }), {
        name: 'DatabaseUnusable',
        fault: 'url-unsupported',
        message,
      })
    })
  }

  const unopenable: readonly (readonly [string, (path: string) => void])[] = [
    ['a file that is no database', (path) => writeFileSync(path, 'x'.repeat(10_000))],
    ['a file that begins like a database', (path) => writeFileSync(path, `SQLite format 3\0${'\xff'.repeat(8_000)}`, 'latin1')],
    ['a folder', (path) => mkdirSync(path)],
  ]
  for (const [name, make] of unopenable) {
    it(`refuses ${name}`, async (test) => {
      const path = join(await temporaryFolder(test), 'planegate.db')
      make(path)
      const refused = { name: 'DatabaseUnusable', fault: 'cannot-open', message: new RegExp(path) }
      await assert.rejects(openDatabase({ url: `sqlite:${path}`, migrate: 'auto' }), refused)
    })
  }

  it('refuses a path through a file', async (test) => {
    const file = join(await temporaryFolder(test), 'file')
    writeFileSync(file, '')
    await assert.rejects(openDatabase({ url: `sqlite:${file}/planegate.db`, migrate: 'auto' }), { fault: 'cannot-open' })
  })

  it('never calls a key unknown because its page is damaged', async (test) => {
    const { store, db, url } = await openStore(test)
    const ids = await fill(db, 5000)
    store.close()
    await db.close()
    const { size } = statSync(db.path)
    const file = openSync(db.path, 'r+')
    writeSync(file, Buffer.alloc(size / 2, 0xff), 0, size / 2, size / 2)
    closeSync(file)
    const damaged = await openDatabase({ url, migrate: 'auto' })
    const survivor = sqlCredentialStore(damaged, { clock: fakeClock(0) })
    test.after(async () => {
      survivor.close()
      await damaged.close()
    })
    const answers = ids.map((id) => {
      try {
        return survivor.findApiKey(id)?.id ?? 'unknown'
      } catch (error) {
        return error instanceof Refusal ? `${error.code} ${error.reason}` : error
      }
    })
    assert.deepEqual(
      new Set(answers.filter((answer, index) => answer !== ids[index])),
      new Set(['store-unavailable database-corrupt']),
    )
  })
})

const ALL = ['0001-api-keys', '0002-revocations-and-changes', '0003-audit-anchor']

describe('schema', () => {
  it('goes up, down and up again', async (test) => {
    const { db } = await emptyDatabase(test)
    assert.deepEqual(await readSchemaVersion(db.kysely), { applied: [], pending: ALL, foreign: [] })
    assert.deepEqual(await migrateUp(db.kysely), ALL)
    assert.deepEqual(await migrateUp(db.kysely), [])
    assert.deepEqual(await migrateDown(db.kysely, ALL.length), ALL.toReversed())
    assert.deepEqual(await readSchemaVersion(db.kysely), { applied: [], pending: ALL, foreign: [] })
    assert.throws(() => sqlCredentialStore(db, { clock: realClock }), { code: 'store-unavailable' })
    assert.deepEqual(await migrateUp(db.kysely), ALL)
    const store = sqlCredentialStore(db, { clock: realClock })
    test.after(() => store.close())
    assert.deepEqual(await store.listApiKeys(), [])
  })

  it('does not go down further than it went up', async (test) => {
    const { db } = await openStore(test)
    await assert.rejects(migrateDown(db.kysely, 4), { fault: 'migration-failed', message: /cannot go down by 4/ })
    assert.deepEqual((await readSchemaVersion(db.kysely)).applied, ALL)
  })

  it('refuses to start with a schema that is behind when migration is manual, and names the verb', async (test) => {
    const { db, url } = await emptyDatabase(test)
    await assert.rejects(openDatabase({ url, migrate: 'manual' }), { fault: 'schema-behind', message: /run "planegate migrate"/ })
    assert.deepEqual((await readSchemaVersion(db.kysely)).applied, [])
    await migrateUp(db.kysely)
    await (await openDatabase({ url, migrate: 'manual' })).close()
  })

  it('refuses the database of a newer planegate, also to change it', async (test) => {
    const url = await pretendNewer(test)
    const newer = { fault: 'schema-newer', message: /made by a newer planegate \(it has 9999-from-the-future\)/ }
    await assert.rejects(openDatabase({ url, migrate: 'auto' }), newer)
    await assert.rejects(openDatabase({ url, migrate: 'manual' }), newer)
    const db = await connectDatabase(url)
    test.after(() => db.close())
    await assert.rejects(migrateUp(db.kysely), newer)
    await assert.rejects(migrateDown(db.kysely, 1), newer)
  })

  it('leaves nothing behind when a migration fails', async (test) => {
    const { db, url } = await emptyDatabase(test)
    await db.kysely.schema.createTable('api_keys').addColumn('other', 'text').execute()
    await assert.rejects(openDatabase({ url, migrate: 'auto' }), { fault: 'migration-failed', message: /\(0001-api-keys\)/ })
    assert.deepEqual((await readSchemaVersion(db.kysely)).applied, [])
  })

  it('is brought up once when many start together', async (test) => {
    const url = `sqlite:${join(await temporaryFolder(test), 'planegate.db')}`
    const opened = await Promise.all(Array.from({ length: 6 }, () => openDatabase({ url, migrate: 'auto' })))
    test.after(() => Promise.all(opened.map((db) => db.close())))
    for (const db of opened) assert.deepEqual((await readSchemaVersion(db.kysely)).applied, ALL)
  })
})
