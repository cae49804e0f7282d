import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { ChangeRecord } from '../../src/domain/change-record.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { openAdministration } from '../../src/stores/sql/sql-administration.ts'
import { apiKeyRecord } from '../contracts/credential-store.ts'
import { fakeClock, realClock } from './api-key-fixtures.ts'
import { DAY, fillRevocations, freshUrl, machine, person, RETENTION, session } from './revocation-fixtures.ts'

async function opened(test: TestContext, clock: Clock = realClock) {
  const db = await openDatabase({ url: await freshUrl(test), migrate: 'auto' })
  test.after(() => db.close())
  const records: ChangeRecord[] = []
  const open = async () => {
    const administration = await openAdministration(db, {
      clock,
      auditLog: { appendChange: async (record) => void records.push(record) },
      events: { failed: () => {}, restored: () => {} },
      revocation: { retention: RETENTION, maxStaleness: 5_000, onUnavailable: 'deny' },
    })
    test.after(() => administration.close())
    return administration
  }
  return { db, records, open }
}

describe('administration of a database', () => {
  it('makes changes that are in force at once, and settles when they are recorded', async (test) => {
    const { records, open } = await opened(test)
    const { registry, revocations, credentials, settled } = await open()
    const key = apiKeyRecord()
    await registry.createApiKey(key, 'admin-api 10.0.0.7')
    assert.deepEqual(credentials.findApiKey(key.id), key)
    await revocations.revoke({ kind: 'credential', credentialId: key.id }, 'admin-api 10.0.0.7')
    await revocations.revoke(session('session-1'), 'admin-api 10.0.0.7')
    assert.equal(revocations.revoked(machine({ credentialId: key.id })), 'credential-revoked')
    assert.equal(revocations.revoked(person()), 'session-revoked')
    await settled()
    assert.deepEqual(
      records.map(({ action }) => action),
      ['key-created', 'revocation-added', 'revocation-added'],
    )
  })

  it('closes twice and then answers nothing', async (test) => {
    const { open } = await opened(test)
    const administration = await open()
    await administration.close()
    await administration.close()
    assert.throws(() => administration.credentials.check(), { code: 'store-unavailable' })
    await assert.rejects(administration.settled(), { code: 'store-unavailable' })
    await assert.rejects(administration.revocations.revoke(session('s'), 'x'), { code: 'store-unavailable' })
  })

  it('forgets once a minute, in batches with pauses, and never before its time', async (test) => {
    const clock = fakeClock(1_800_000_000_000)
    const { db, open } = await opened(test, clock)
    await fillRevocations(db, 1_200, clock.now() + DAY)
    const rows = async () => (await db.kysely.selectFrom('revocations').select('number').execute()).length
    test.mock.timers.enable({ apis: ['setTimeout'] })
    const { revocations } = await open()
    assert.equal(revocations.size, 1_200)
    const seen: number[] = []
    for (const wait of [60_000, 60_000, 50, 50]) {
      test.mock.timers.tick(wait - 1)
      await turns()
      seen.push(await rows())
      test.mock.timers.tick(1)
      await turns()
      if (seen.length === 1) clock.advance(DAY)
    }
    assert.deepEqual([...seen, await rows()], [1_200, 1_200, 700, 200, 0])
    assert.ok(revocations.size < 1_200)
  })
})

/** Lets what waits for the database go on. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
}
