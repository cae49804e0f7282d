import type { Kysely } from 'kysely'
import type { CredentialRegistry } from '../../ports/credential-store.ts'
import { recordOf, rowOf } from './api-key-row.ts'
import { storeFailure } from './store-failure.ts'
import type { Tables } from './tables.ts'

/** API keys for administrators, in queries that every dialect understands. `changed` is called after a write, also one that failed. */
export function apiKeyRegistry(db: Kysely<Tables>, changed: () => void): CredentialRegistry {
  async function writing<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (error) {
      throw storeFailure(error)
    } finally {
      changed()
    }
  }

  return {
    createApiKey: (record) =>
      writing(async () => {
        await db.insertInto('api_keys').values(rowOf(record)).execute()
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
    rotateApiKey: (id, replacement, oldExpiresAt) =>
      writing(() =>
        db.transaction().execute(async (transaction) => {
          const { numUpdatedRows } = await transaction
            .updateTable('api_keys')
            .set((row) => ({
              replaced_by: replacement.id,
              expires_at: row.case().when('expires_at', '<', oldExpiresAt).then(row.ref('expires_at')).else(oldExpiresAt).end(),
            }))
            .where('id', '=', id)
            .where('revoked_at', 'is', null)
            .where('replaced_by', 'is', null)
            .executeTakeFirst()
          if (numUpdatedRows === 0n) return false
          await transaction.insertInto('api_keys').values(rowOf(replacement)).execute()
          return true
        }),
      ),

    revokeApiKey: (id, at) =>
      writing(async () => {
        const { numUpdatedRows } = await db
          .updateTable('api_keys')
          .set((row) => ({ revoked_at: row.fn.coalesce('revoked_at', row.val(at)) }))
          .where('id', '=', id)
          .executeTakeFirst()
        return numUpdatedRows > 0n
      }),
  }
}

/** The lookup of the request path, as SQL to be prepared once. Its only parameter is the id. */
export function lookupSql(db: Kysely<Tables>): string {
  return db.selectFrom('api_keys').selectAll().where('id', '=', '').compile().sql
}
