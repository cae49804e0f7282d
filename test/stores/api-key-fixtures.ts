import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Inbound } from '../../src/domain/inbound.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { rowOf } from '../../src/stores/sql/api-key-row.ts'
import { type Database, openDatabase } from '../../src/stores/sql/open-database.ts'
import {
  type SqlCredentialStore,
  type SqlCredentialStoreOptions,
  sqlCredentialStore,
} from '../../src/stores/sql/sql-credential-store.ts'
import { apiKeyRecord } from '../contracts/credential-store.ts'

export const realClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

/** A clock that stands until it is moved. */
export function fakeClock(at: number): Clock & { advance(ms: number): void } {
  let passed = 0
  return {
    now: () => at + passed,
    monotonic: () => passed,
    advance(ms) {
      passed += ms
    },
  }
}

/** A folder of its own for one test. */
export async function temporaryFolder(test: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'planegate-'))
  test.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A database in a folder of its own with an open store, both closed at the end of the test. */
export async function openStore(
  test: TestContext,
  options: Partial<SqlCredentialStoreOptions> = {},
): Promise<{ db: Database; store: SqlCredentialStore; url: string }> {
  const url = `sqlite:${join(await temporaryFolder(test), 'planegate.db')}`
  const db = await openDatabase({ url, migrate: 'auto' })
  const store = sqlCredentialStore(db, { clock: realClock, ...options })
  test.after(async () => {
    store.close()
    await db.close()
  })
  return { db, store, url }
}

/** Ids of that many stored keys. */
export async function fill(db: Database, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => index.toString().padStart(16, '0'))
  const row = rowOf(apiKeyRecord())
  await db.kysely.transaction().execute(async (transaction) => {
    for (let from = 0; from < count; from += 1000) {
      const rows = ids.slice(from, from + 1000).map((id) => ({ ...row, id }))
      await transaction.insertInto('api_keys').values(rows).execute()
    }
  })
  return ids
}

/** A request of which only the client's address matters. */
export function inboundFrom(clientAddress: string): Inbound {
  return {
    requestId: 'r',
    method: 'GET',
    target: '/',
    rawHeaders: [],
    clientAddress,
    httpVersion: '1.1',
    malformed: null,
    origin: { addresses: [clientAddress], proto: 'http', host: '' },
    userAgent: null,
    upgrade: false,
    arrivedAt: 0,
  }
}
