import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { Kysely } from 'kysely'
import { copyOfLeftBehind } from './copied-database.ts'
import { DatabaseUnusable } from './database-unusable.ts'
import type { Database } from './open-database.ts'
import { refuseNewerSchema } from './schema-version.ts'
import { nodeSqliteDialect } from './sqlite-dialect.ts'
import { openReader, sqlitePath } from './sqlite-file.ts'
import type { Tables } from './tables.ts'

/** A database that is only looked at. Its schema may be an older one. */
export interface ReadOnlyDatabase extends Database {
  has(table: keyof Tables): boolean
}

/**
 * Opens the database for somebody who must leave no trace: nothing is made, brought up to date or written, and no file is left beside it. null: there is
 * no such file. Throws `DatabaseUnusable` when it cannot be opened, is no database, or is newer than this version.
 */
export async function openReadOnly(url: string): Promise<ReadOnlyDatabase | null> {
  const path = sqlitePath(url)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return null
  // Opening a pipe would wait for whoever writes to it.
  if (!found.isFile()) throw new DatabaseUnusable('cannot-open', `cannot read the database ${path}: it is no regular file`)
  const copy = copyOfLeftBehind(path)
  try {
    return await opened(path, copy?.path ?? path, () => copy?.remove())
  } catch (error) {
    copy?.remove()
    throw error
  }
}

/** `file`: what is read, in the place of `path`. */
async function opened(path: string, file: string, closed: () => void): Promise<ReadOnlyDatabase> {
  const connection = readerOf(file)
  const kysely = new Kysely<Tables>({ dialect: nodeSqliteDialect(connection) })
  const close = async () => {
    await kysely.destroy()
    if (connection.isOpen) connection.close()
    closed()
  }
  try {
    await refuseNewerSchema(kysely)
    const tables = new Set((await kysely.introspection.getTables()).map(({ name }) => name))
    return { path, kysely, has: (table) => tables.has(table), openReader: () => readerOf(file), close }
  } catch (error) {
    await close()
    if (error instanceof DatabaseUnusable) throw error
    throw new DatabaseUnusable('cannot-open', `cannot read the database ${path}: ${String(error)}`, error)
  }
}

/**
 * A database in WAL mode that nobody has open has no log beside it, and a reader would make one and leave it there. Such a file is read as one that
 * nobody changes (sqlite.org/uri.html#uriimmutable); if a gateway starts meanwhile, its changes are not seen.
 */
function readerOf(path: string): DatabaseSync {
  if (hasLog(path)) return openReader(path)
  const address = pathToFileURL(path)
  address.searchParams.set('immutable', '1')
  try {
    return new DatabaseSync(address, { readOnly: true })
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : 'unknown error'
    throw new DatabaseUnusable('cannot-open', `cannot open the database ${path}: ${detail}`, cause)
  }
}

/** An empty log that nobody has open holds nothing. */
function hasLog(path: string): boolean {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
  return log !== undefined && (log.size > 0 || statSync(`${path}-shm`, { throwIfNoEntry: false }) !== undefined)
}
