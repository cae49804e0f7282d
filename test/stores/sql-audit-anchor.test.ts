import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { migrateDown, migrateUp } from '../../src/stores/sql/schema-version.ts'
import { databaseAnchor } from '../../src/stores/sql/sql-audit-anchor.ts'
import { checkpoint } from '../audit/notes.ts'
import { fakeClock } from './api-key-fixtures.ts'
import { freshUrl } from './revocation-fixtures.ts'

const LOG = 'gateway.example.com/0f1e2d'
const NOW = 1_800_000_000_000

async function opened(test: TestContext) {
  const db = await openDatabase({ url: await freshUrl(test), migrate: 'auto' })
  test.after(() => db.close())
  const clock = fakeClock(NOW)
  return {
    db,
    clock,
    anchor: databaseAnchor(db, clock),
    rows: async () => (await db.kysely.selectFrom('audit_anchor').selectAll().execute()).map((row) => ({ ...row })),
  }
}

describe('audit anchor in the database', () => {
  it('is one row for each log, with when it was written', async (test) => {
    const { clock, anchor, rows } = await opened(test)
    await anchor.put(checkpoint(LOG, 5), LOG)
    clock.advance(1_000)
    await anchor.put(checkpoint(LOG, 5), LOG)
    assert.deepEqual(await rows(), [{ origin: LOG, size: 5, note: checkpoint(LOG, 5), updated_at: NOW }])
    await anchor.put(checkpoint(LOG, 6), LOG)
    assert.deepEqual(await rows(), [{ origin: LOG, size: 6, note: checkpoint(LOG, 6), updated_at: NOW + 1_000 }])
  })

  it('does not let a smaller size in, whatever the note in the row says', async (test) => {
    const { db, anchor, rows } = await opened(test)
    await anchor.put(checkpoint(LOG, 5), LOG)
    await db.kysely.updateTable('audit_anchor').set({ size: 100 }).execute()
    for (const size of [4, 50, 100])
      await assert.rejects(anchor.put(checkpoint(LOG, size), LOG), { message: /kept already|is no checkpoint of it/ })
    assert.equal((await rows())[0]?.size, 100)
  })

  for (const note of ['', 'hello\n', checkpoint('another.example.com', 5)]) {
    it(`rejects a row with something else in it: ${JSON.stringify(note.slice(0, 10))}`, async (test) => {
      const { db, anchor } = await opened(test)
      await anchor.put(checkpoint(LOG, 5), LOG)
      await db.kysely.updateTable('audit_anchor').set({ note }).execute()
      await assert.rejects(anchor.latest(LOG), {
        message: /What the database keeps in audit_anchor for .* is no checkpoint of it/,
      })
      await assert.rejects(anchor.put(checkpoint(LOG, 5), LOG), { message: /is no checkpoint of it/ })
    })
  }

  it('goes and comes back with its migration', async (test) => {
    const { db, anchor } = await opened(test)
    await anchor.put(checkpoint(LOG, 5), LOG)
    assert.deepEqual(await migrateDown(db.kysely, 1), ['0003-audit-anchor'])
    await assert.rejects(anchor.latest(LOG), { message: 'The database cannot be used to keep checkpoints: database-failed.' })
    await migrateUp(db.kysely)
    assert.equal(await anchor.latest(LOG), null)
  })

  it('rejects when the database is closed', async (test) => {
    const { db, anchor } = await opened(test)
    await db.close()
    await assert.rejects(anchor.put(checkpoint(LOG, 5), LOG), { message: /^The database cannot be used to keep checkpoints: / })
  })
})
