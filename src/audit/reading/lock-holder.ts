import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * The process id of the gateway that is writing the log of a directory, `unknown` when it does not say; null: nobody is, or it cannot be told. Changes nothing: the lock of a
 * gateway is an empty database that is never written, so whatever stands beside it is not the gateway's, and SQLite, which would open it, is not asked.
 */
export function lockHolder(directory: string): string | null {
  const path = join(directory, 'audit.lock')
  if (!isFile(path) || BESIDE.some((suffix) => lstatSync(`${path}${suffix}`, { throwIfNoEntry: false }) !== undefined))
    return null
  let database: DatabaseSync | null = null
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 0 })
    database.prepare('SELECT 1 FROM sqlite_master').all()
    return null
  } catch (error) {
    return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY
      ? processId(join(directory, 'audit.pid'))
      : null
  } finally {
    database?.close()
  }
}

const SQLITE_BUSY = 5
const BESIDE = ['-journal', '-wal', '-shm']

function processId(path: string): string {
  try {
    return (isFile(path) && /^\d{1,10}$/.exec(readFileSync(path, 'utf8').trim())?.[0]) || 'unknown'
  } catch {
    return 'unknown'
  }
}

/** Opening anything else may wait for ever. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
}
