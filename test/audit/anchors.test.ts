import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileAnchor } from '../../src/audit/anchors/file-anchor.ts'
import type { AuditAnchor } from '../../src/ports/audit-anchor.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { databaseAnchor } from '../../src/stores/sql/sql-audit-anchor.ts'
import { realClock, temporaryFolder } from '../stores/api-key-fixtures.ts'
import { checkpoint } from './notes.ts'

const A = 'a.example.com/1'
const B = 'b.example.com/1'

/** A place, and how to open it as another process would. `spoil` makes it unusable. */
interface Place {
  open(): Promise<AuditAnchor>
  spoil(): Promise<void>
}

const PLACES: Readonly<Record<string, (test: TestContext) => Promise<Place>>> = {
  async file(test) {
    const folder = await temporaryFolder(test)
    const open = async () => fileAnchor(join(folder, 'anchor'), realClock)
    return { open, spoil: () => rm(folder, { recursive: true }) }
  },
  async database(test) {
    const url = `sqlite:${join(await temporaryFolder(test), 'planegate.db')}`
    const opened: Awaited<ReturnType<typeof openDatabase>>[] = []
    test.after(() => Promise.all(opened.map((db) => db.close())))
    return {
      async open() {
        const db = await openDatabase({ url, migrate: 'auto' })
        opened.push(db)
        return databaseAnchor(db, realClock)
      },
      async spoil() {
        await opened[0]?.kysely.schema.dropTable('audit_anchor').execute()
      },
    }
  },
}

for (const [name, prepare] of Object.entries(PLACES)) {
  describe(`audit anchor contract: ${name}`, () => {
    it('keeps nothing at first', async (test) => {
      const anchor = await (await prepare(test)).open()
      assert.equal(await anchor.latest(A), null)
    })

    it('keeps the newest, byte for byte, also for those who open it later', async (test) => {
      const place = await prepare(test)
      const anchor = await place.open()
      for (const size of [1, 2, 70_000]) await anchor.put(checkpoint(A, size), A, true)
      assert.equal(await anchor.latest(A), checkpoint(A, 70_000))
      const later = await place.open()
      assert.equal(await later.latest(A), checkpoint(A, 70_000))
      await later.put(checkpoint(A, 70_001), A)
      assert.equal(await anchor.latest(A), checkpoint(A, 70_001))
    })

    it('does not mix two logs', async (test) => {
      const anchor = await (await prepare(test)).open()
      await anchor.put(checkpoint(A, 500), A, true)
      await anchor.put(checkpoint(B, 3), B, true)
      await anchor.put(checkpoint(A, 501), A, true)
      assert.deepEqual([await anchor.latest(A), await anchor.latest(B)], [checkpoint(A, 501), checkpoint(B, 3)])
      assert.equal(await anchor.latest('a.example.com'), null)
    })

    it('takes the same one twice', async (test) => {
      const anchor = await (await prepare(test)).open()
      for (let times = 0; times < 2; times++) await anchor.put(checkpoint(A, 5), A, true)
      assert.equal(await anchor.latest(A), checkpoint(A, 5))
    })

    const refused: readonly (readonly [string, string, RegExp])[] = [
      ['a shorter log', checkpoint(A, 9), /over 10 lines of a\.example\.com\/1 is kept already; one over 9/],
      ['another log of the same length', checkpoint(A, 10, 'other'), /Another checkpoint over the same 10 lines/],
      ['the checkpoint of another log', checkpoint(B, 11), /is no checkpoint of a\.example\.com\/1/],
      ['what is no checkpoint', 'hello\n', /is no checkpoint of/],
      ['nothing', '', /is no checkpoint of/],
    ]
    for (const [what, note, message] of refused) {
      it(`refuses ${what}, and keeps what it has`, async (test) => {
        const anchor = await (await prepare(test)).open()
        await anchor.put(checkpoint(A, 10), A, true)
        await assert.rejects(anchor.put(note, A, true), { message })
        assert.equal(await anchor.latest(A), checkpoint(A, 10))
      })
    }

    it('rejects when the place is gone, and does not say that nothing is kept', async (test) => {
      const place = await prepare(test)
      const anchor = await place.open()
      await anchor.put(checkpoint(A, 10), A, true)
      await place.spoil()
      await assert.rejects(anchor.put(checkpoint(A, 11), A, true), { message: /cannot be used to keep checkpoints: [^\n]+\.$/ })
      await assert.rejects(anchor.latest(A), { message: /cannot be used to keep checkpoints/ })
    })

    it('ends with the longest of many that are offered at once', async (test) => {
      const anchor = await (await prepare(test)).open()
      const sizes = Array.from({ length: 20 }, (_, index) => ((index * 7) % 20) + 1)
      const offers = await Promise.allSettled(sizes.map((size) => anchor.put(checkpoint(A, size), A, true)))
      assert.equal(await anchor.latest(A), checkpoint(A, 20))
      assert.equal(offers[sizes.indexOf(20)]?.status, 'fulfilled')
    })
  })
}

it('a file anchor makes no folder', async (test) => {
  const folder = join(await temporaryFolder(test), 'missing')
  const anchor = fileAnchor(join(folder, 'anchor'), realClock)
  await assert.rejects(anchor.put(checkpoint(A, 1), A), {
    message: `${join(folder, 'anchor')} cannot be used to keep checkpoints: its folder does not exist.`,
  })
  assert.equal(existsSync(folder), false)
})
