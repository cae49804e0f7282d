import type { Kysely, Migration } from 'kysely'

/**
 * Every version of the schema, in the order of the names. A migration that was released is never changed: a new one follows. Written with
 * the schema builder only, so that it runs on SQLite and PostgreSQL alike.
 */
export const MIGRATIONS: Readonly<Record<string, Required<Migration>>> = {
  '0001-api-keys': { up: createApiKeys, down: dropApiKeys },
}

/** The reference is checked at commit, so that a rotation may point to its replacement before that is written. */
async function createApiKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('api_keys')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('cidrs', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .addColumn('replaced_by', 'text')
    .addForeignKeyConstraint('api_keys_replaced_by', ['replaced_by'], 'api_keys', ['id'], (key) =>
      key.deferrable().initiallyDeferred(),
    )
    .execute()
}

async function dropApiKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('api_keys').execute()
}
