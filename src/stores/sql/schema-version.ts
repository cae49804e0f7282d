import { type Kysely, type MigrationResultSet, Migrator, NO_MIGRATIONS } from 'kysely'
import { DatabaseUnusable } from './database-unusable.ts'
import { MIGRATIONS } from './migrations.ts'
import type { Tables } from './tables.ts'

const JOURNAL = 'planegate_migration'
const LOCK = 'planegate_migration_lock'

/** How a database's schema stands to this version of planegate. `applied` and `pending` are names, in order. */
export interface SchemaVersion {
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  /** Migrations that only a newer planegate knows. */
  readonly foreign: readonly string[]
}

export async function readSchemaVersion(db: Kysely<Tables>): Promise<SchemaVersion> {
  const known = Object.keys(MIGRATIONS).sort()
  const executed = await executedMigrations(db)
  return {
    applied: known.filter((name) => executed.includes(name)),
    pending: known.filter((name) => !executed.includes(name)),
    foreign: executed.filter((name) => !known.includes(name)),
  }
}

/** Brings the schema up to this version, all or nothing. Gives the names of the migrations that ran; none when there was nothing to do. */
export async function migrateUp(db: Kysely<Tables>): Promise<string[]> {
  await refuseNewerSchema(db)
  return namesOf(await migratorOf(db).migrateToLatest())
}

/** Takes back the last `steps` migrations with the data that they hold, all or nothing. Gives their names. */
export async function migrateDown(db: Kysely<Tables>, steps: number): Promise<string[]> {
  const { applied } = await refuseNewerSchema(db)
  if (steps > applied.length) {
    throw new DatabaseUnusable('migration-failed', `cannot go down by ${steps}: the schema has ${applied.length} migration(s)`)
  }
  return namesOf(await migratorOf(db).migrateTo(applied[applied.length - steps - 1] ?? NO_MIGRATIONS))
}

/** A newer planegate may have given columns a meaning that this one would ignore. */
export async function refuseNewerSchema(db: Kysely<Tables>): Promise<SchemaVersion> {
  const version = await readSchemaVersion(db)
  if (version.foreign.length === 0) return version
  throw new DatabaseUnusable(
    'schema-newer',
    `the database was made by a newer planegate (it has ${version.foreign.join(', ')}): run that version, or take its migrations back with it`,
  )
}

async function executedMigrations(db: Kysely<Tables>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some((table) => table.name === JOURNAL)) return []
  const journal = db.withTables<{ [JOURNAL]: { name: string } }>()
  const rows = await journal.selectFrom(JOURNAL).select('name').orderBy('name').execute()
  return rows.map((row) => row.name)
}

function migratorOf(db: Kysely<Tables>): Migrator {
  const provider = { getMigrations: async () => ({ ...MIGRATIONS }) }
  return new Migrator({ db, provider, migrationTableName: JOURNAL, migrationLockTableName: LOCK })
}

function namesOf({ error, results }: MigrationResultSet): string[] {
  if (error !== undefined) {
    const failed = results?.find((result) => result.status === 'Error')?.migrationName
    const detail = error instanceof Error ? error.message : 'unknown error'
    throw new DatabaseUnusable(
      'migration-failed',
      `the schema could not be changed${failed ? ` (${failed})` : ''}: ${detail}`,
      error,
    )
  }
  return (results ?? []).map((result) => result.migrationName)
}
