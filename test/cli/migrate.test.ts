import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { migrate } from '../../src/cli/migrate.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { temporaryFolder } from '../stores/api-key-fixtures.ts'
import { recordedIo } from './recorded-io.ts'

async function commandLine(test: TestContext) {
  const url = `sqlite:${join(await temporaryFolder(test), 'planegate.db')}`
  async function run(...argv: string[]) {
    const io = recordedIo()
    const configured = () => ({ environment: 'staging' as const, database: { url, migrate: 'manual' as const } })
    const code = await migrate(argv, io, { configured })
    return { code, ...io.written }
  }
  return { run, url }
}

const ALL = ['0001-api-keys', '0002-revocations-and-changes', '0003-audit-anchor']

describe('planegate migrate', () => {
  it('brings the schema up, down and up again', async (test) => {
    const { run, url } = await commandLine(test)
    await assert.rejects(openDatabase({ url, migrate: 'manual' }), { fault: 'schema-behind' })
    assert.deepEqual(await run(), { code: 0, out: `Applied: ${ALL.join(', ')}\n`, err: '' })
    assert.deepEqual(await run(), { code: 0, out: 'The schema is up to date.\n', err: '' })
    await (await openDatabase({ url, migrate: 'manual' })).close()
    assert.deepEqual(await run('--down', '3'), {
      code: 0,
      out: `Taken back: ${ALL.toReversed().join(', ')}\n`,
      err: '',
    })
    await assert.rejects(openDatabase({ url, migrate: 'manual' }), { fault: 'schema-behind' })
    assert.deepEqual(JSON.parse((await run('--json')).out), { applied: ALL, reverted: [] })
    assert.deepEqual(JSON.parse((await run('--json', '--down', '1')).out), { applied: [], reverted: ALL.slice(-1) })
  })

  it('does not go down further than it went up', async (test) => {
    const { run } = await commandLine(test)
    await run()
    const { code, out, err } = await run('--down', '4', '--json')
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /cannot go down by 4: the schema has 3 migration/)
  })

  it('refuses the database of a newer planegate', async (test) => {
    const { run, url } = await commandLine(test)
    await run()
    const db = await openDatabase({ url, migrate: 'manual' })
    const row = { name: '9999-from-the-future', timestamp: new Date().toISOString() }
    await db.kysely.withTables<{ planegate_migration: typeof row }>().insertInto('planegate_migration').values(row).execute()
    await db.close()
    for (const argv of [[], ['--down', '1']]) {
      const { code, err } = await run(...argv)
      assert.equal(code, 1)
      assert.match(err, /made by a newer planegate/)
    }
  })

  for (const argv of [['--down'], ['--down', '0'], ['--down', '-1'], ['--down', '1.5'], ['--down', 'all'], ['up'], ['--force']]) {
    it(`refuses: migrate ${argv.join(' ')}`, async (test) => {
      const { run } = await commandLine(test)
      const { code, out, err } = await run(...argv)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, /^planegate migrate: \S/)
    })
  }
})
