import type { Kysely } from 'kysely'
import type { ChangeRecord } from '../../domain/change-record.ts'
import { timeText } from '../../domain/timestamp.ts'
import type { ApiKeyRecord, CredentialRegistry } from '../../ports/credential-store.ts'
import { recordOf, rowOf } from './api-key-row.ts'
import { writeChange } from './change-row.ts'
import { storeFailure } from './store-failure.ts'
import type { Tables } from './tables.ts'
import { type Writing, writing } from './writing.ts'

/** API keys for administrators, in queries that every dialect understands. */
export function apiKeyRegistry(db: Kysely<Tables>, options: Writing): CredentialRegistry {
  const { clock } = options
  return {
    createApiKey: (record, by) =>
      writing(db, options, async (transaction) => {
        await transaction.insertInto('api_keys').values(rowOf(record)).execute()
        await writeChange(transaction, { action: 'key-created', by, now: clock.now(), what: newKey(record) })
      }),

    async listApiKeys() {
      try {
        const rows = await db.selectFrom('api_keys').selectAll().orderBy('created_at').orderBy('id').execute()
        return rows.map(recordOf)
      } catch (error) {
        throw storeFailure(error)
      }
    },

    // The condition and the change are one statement: of two rotations of one key, the second finds nothing left to change.
    rotateApiKey: (id, replacement, oldExpiresAt, by) =>
      writing(db, options, async (transaction) => {
        const old = await transaction
          .updateTable('api_keys')
          .set((row) => ({
            replaced_by: replacement.id,
            expires_at: row.case().when('expires_at', '<', oldExpiresAt).then(row.ref('expires_at')).else(oldExpiresAt).end(),
          }))
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .where('replaced_by', 'is', null)
          .returningAll()
          .executeTakeFirst()
        if (old === undefined) return false
        await transaction.insertInto('api_keys').values(rowOf(replacement)).execute()
        const { owner, expiresAt } = recordOf(old)
        const what = { key: id, owner, endsAt: timeText(expiresAt), replacedBy: replacement.id }
        await writeChange(transaction, { action: 'key-rotated', by, now: clock.now(), what })
        return true
      }),

    revokeApiKey: (id, at, by) =>
      writing(db, options, async (transaction) => {
        const revoked = await transaction
          .updateTable('api_keys')
          .set({ revoked_at: at })
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .returning('owner')
          .executeTakeFirst()
        if (revoked !== undefined) {
          const what = { key: id, owner: revoked.owner }
          await writeChange(transaction, { action: 'key-revoked', by, now: clock.now(), what })
          return true
        }
        return (await transaction.selectFrom('api_keys').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
      }),
  }
}

/** The lookup of the request path, as SQL to be prepared once. Its only parameter is the id. */
export function lookupSql(db: Kysely<Tables>): string {
  return db.selectFrom('api_keys').selectAll().where('id', '=', '').compile().sql
}

function newKey({ id, owner, scopes, cidrs, expiresAt }: ApiKeyRecord): ChangeRecord['what'] {
  return { key: id, owner, scopes, cidrs, endsAt: timeText(expiresAt) }
}
