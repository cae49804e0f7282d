import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname, isAbsolute, normalize } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseUnusable } from './database-unusable.ts'
import { whenFree } from './sqlite-busy.ts'

/** Milliseconds that a connection waits for another's lock with the whole process at a stand; longer waits are in `whenFree`. */
const BUSY_TIMEOUT_MS = 5

/** The file that a `sqlite:/absolute/path` names. */
export function sqlitePath(url: string): string {
  const path = url.startsWith('sqlite:') ? normalize(url.slice('sqlite:'.length)) : ''
  // The scheme alone: what follows it may be a password.
  if (!isAbsolute(path)) {
    throw new DatabaseUnusable(
      'url-unsupported',
      `the database URL must be sqlite:/absolute/path; its scheme is "${/^\w*/.exec(url)}"`,
    )
  }
  return path
}

/** Opens the file for writing; makes a missing folder (mode 0700) and file (0600), which its journal files inherit. */
export async function openWriter(path: string): Promise<DatabaseSync> {
  let connection: DatabaseSync | undefined
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
    connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
    await useWriteAheadLog(connection)
    connection.exec('pragma synchronous = full')
    return connection
  } catch (cause) {
    connection?.close()
    throw cannotOpen(path, cause)
  }
}

/** Opens the file for reading only, beside a writer in this or another process. */
export function openReader(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  } catch (cause) {
    throw cannotOpen(path, cause)
  }
}

/** Two processes that start at once collide here. */
function useWriteAheadLog(connection: DatabaseSync): Promise<void> {
  return whenFree(() => {
    const mode = connection.prepare('pragma journal_mode = wal').get()?.journal_mode
    if (mode !== 'wal') throw new Error(`the file system gives journal mode ${mode}, not wal`)
  })
}

function cannotOpen(path: string, cause: unknown): DatabaseUnusable {
  const detail = cause instanceof Error ? cause.message : 'unknown error'
  return new DatabaseUnusable('cannot-open', `cannot open the database ${path}: ${detail}`, cause)
}
