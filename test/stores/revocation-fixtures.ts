import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Principal } from '../../src/domain/credential.ts'
import type { Revocation } from '../../src/domain/revocation.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { type Database, openDatabase } from '../../src/stores/sql/open-database.ts'
import { revocationRegistry } from '../../src/stores/sql/revocation-registry.ts'
import { SqlRevocationStore, type SqlRevocationStoreOptions } from '../../src/stores/sql/sql-revocation-store.ts'
import { watchDatabase } from '../../src/stores/sql/watched-database.ts'
import { temporaryFolder } from './api-key-fixtures.ts'

export const ISSUER = 'https://id.example.com'
export const OTHER_ISSUER = 'https://other.example.com'
export const DAY = 86_400_000
export const RETENTION = 400 * DAY

/** A person's token; tests change what they are about. */
export function person(change: Partial<Principal> = {}): Principal {
  return {
    kind: 'jwt',
    plane: 'HUMAN',
    actor: 'human',
    issuer: ISSUER,
    subject: 'alice',
    credentialId: 'd'.repeat(64),
    session: 'session-1',
    sessionDigest: null,
    tokenId: 'token-1',
    issuedAt: 1000,
    expiresAt: null,
    scopes: [],
    roles: [],
    account: null,
    team: null,
    clientId: null,
    delegation: null,
    claims: {},
    ...change,
  }
}

export function machine(change: Partial<Principal> = {}): Principal {
  const none = { issuer: null, session: null, tokenId: null, issuedAt: null }
  return person({ kind: 'api-key', plane: 'MACHINE', actor: 'service', ...none, credentialId: 'CqpWxhOdnFEl5oDO', ...change })
}

export const session = (name: string, issuer: string | null = ISSUER): Revocation => ({ kind: 'session', issuer, session: name })

/** The path of a database that does not exist yet. */
export async function freshUrl(test: TestContext): Promise<string> {
  return `sqlite:${join(await temporaryFolder(test), 'planegate.db')}`
}

/** One process that follows the database at a URL, as far as a test can tell. */
export interface Following {
  readonly db: Database
  readonly store: SqlRevocationStore
  close(): Promise<void>
}

export async function follow(
  test: TestContext,
  url: string,
  options: Partial<SqlRevocationStoreOptions> & { readonly clock: Clock },
): Promise<Following> {
  const db = await openDatabase({ url, migrate: 'auto' })
  const watched = watchDatabase(db, options.clock)
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    watched.close()
    await db.close()
  }
  test.after(close)
  const store = await SqlRevocationStore.open(db, {
    watched,
    retention: RETENTION,
    maxStaleness: 5_000,
    onUnavailable: 'deny',
    ...options,
  })
  return { db, store, close }
}

/** Revokes as the command line does, on a connection of its own. */
export async function revokeElsewhere(url: string, clock: Clock, ...revocations: Revocation[]): Promise<void> {
  const db = await openDatabase({ url, migrate: 'auto' })
  try {
    const registry = revocationRegistry(db.kysely, { clock, retention: RETENTION, watch: null })
    for (const revocation of revocations) await registry.revoke(revocation, 'command-line root@host')
  } finally {
    await db.close()
  }
}

/** That many sessions, written in one transaction as somebody else's. */
export async function fillRevocations(db: Database, count: number, until: number): Promise<void> {
  await db.kysely.transaction().execute(async (transaction) => {
    for (let from = 0; from < count; from += 1000) {
      const rows = Array.from({ length: Math.min(1000, count - from) }, (_, index) => {
        const number = from + index + 1
        const what = { kind: 'session', issuer: ISSUER, value: `filled-${number}`, issued_up_to: null }
        return { number, id: `id-${number}`, ...what, at: 0, until, by: 'test' }
      })
      await transaction.insertInto('revocations').values(rows).execute()
    }
    await transaction.updateTable('counters').set({ value: count }).where('name', '=', 'revocations').execute()
  })
}
