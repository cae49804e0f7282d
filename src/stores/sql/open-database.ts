import type { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { DatabaseUnusable } from './database-unusable.ts'
import { migrateUp, refuseNewerSchema } from './schema-version.ts'
import { nodeSqliteDialect } from './sqlite-dialect.ts'
import { openReader, openWriter, sqlitePath } from './sqlite-file.ts'
import type { Tables } from './tables.ts'

export interface DatabaseOptions {
  /** `sqlite:/absolute/path`. */
  readonly url: string
  /** `auto`: the schema is brought up to date at start; `manual`: a schema that is behind refuses to start. */
  readonly migrate: 'auto' | 'manual'
}

/** An open database: one connection that writes, through Kysely, and as many as wanted that only read. */
export interface Database {
  readonly path: string
  readonly kysely: Kysely<Tables>
  openReader(): DatabaseSync
  close(): Promise<void>
}

/**
 * Opens the database with a schema that fits this version. Throws `DatabaseUnusable` with a sentence when the file cannot be opened or is no
 * database, when the schema is behind and `migrate` is manual, and when it is newer than this version.
 */
export async function openDatabase({ url, migrate }: DatabaseOptions): Promise<Database> {
  const database = await connectDatabase(url)
  try {
    const { pending } = await refuseNewerSchema(database.kysely)
    if (pending.length > 0 && migrate === 'manual') {
      throw new DatabaseUnusable(
        'schema-behind',
        `the database schema is behind (${pending.join(', ')} missing): run "planegate migrate"`,
      )
    }
    if (pending.length > 0) await migrateUp(database.kysely)
    return database
  } catch (error) {
    await database.close()
    if (error instanceof DatabaseUnusable) throw error
    throw new DatabaseUnusable('cannot-open', `cannot read the database ${database.path}: ${String(error)}`, error)
  }
}

/** Opens the database whatever its schema; for those who change it. */
export async function connectDatabase(url: string): Promise<Database> {
  const path = sqlitePath(url)
  const writer = await openWriter(path)
  const kysely = new Kysely<Tables>({ dialect: nodeSqliteDialect(writer) })
  return {
    path,
    kysely,
    openReader: () => openReader(path),
    async close() {
      await kysely.destroy()
      if (writer.isOpen) writer.close()
    },
  }
}
