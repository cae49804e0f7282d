import type { Kysely, Migration } from 'kysely'

/**
 * Every version of the schema, in the order of the names. A migration that was released is never changed: a new one follows. Written with
 * the schema builder only, so that it runs on SQLite and PostgreSQL alike.
 */
export const MIGRATIONS: Readonly<Record<string, Required<Migration>>> = {
  '0001-api-keys': { up: createApiKeys, down: dropApiKeys },
  '0002-revocations-and-changes': { up: createRevocationsAndChanges, down: dropRevocationsAndChanges },
  '0003-audit-anchor': { up: createAuditAnchor, down: dropAuditAnchor },
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

/**
 * `number` is taken from `counters` inside the transaction that writes the row. The counter's row stays locked until then, so numbers appear in the order
 * in which transactions end, on every engine, and none is ever used again: whoever read up to a number has missed nothing below it. Sequences of
 * the engines promise neither.
 */
async function createRevocationsAndChanges(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('counters')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('value', 'bigint', (column) => column.notNull())
    .execute()
  const counters = db.withTables<{ counters: { name: string; value: number } }>()
  const names = ['changes', 'revocations', 'revocations-forgotten']
  await counters
    .insertInto('counters')
    .values(names.map((name) => ({ name, value: 0 })))
    .execute()
  await db.schema
    .createTable('revocations')
    .addColumn('number', 'bigint', (column) => column.primaryKey().notNull())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('issuer', 'text')
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('issued_up_to', 'bigint')
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('until', 'bigint', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('revocations_until').on('revocations').column('until').execute()
  await db.schema
    .createTable('changes')
    .addColumn('number', 'bigint', (column) => column.primaryKey().notNull())
    .addColumn('change_id', 'text', (column) => column.notNull().unique())
    .addColumn('time', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('what', 'text', (column) => column.notNull())
    .addColumn('recorded_at', 'bigint')
    .execute()
  await db.schema.createIndex('changes_recorded_at').on('changes').columns(['recorded_at', 'number']).execute()
}

async function dropRevocationsAndChanges(db: Kysely<unknown>): Promise<void> {
  for (const table of ['changes', 'revocations', 'counters']) await db.schema.dropTable(table).execute()
}

async function createAuditAnchor(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_anchor')
    .addColumn('origin', 'text', (column) => column.primaryKey().notNull())
    .addColumn('size', 'bigint', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
}

async function dropAuditAnchor(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('audit_anchor').execute()
}
