import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseUnusable } from './database-unusable.ts'

/** A copy that is only read, in a folder that only this user may enter. */
export interface CopiedDatabase {
  readonly path: string
  remove(): void
}

/**
 * A copy of a database whose write-ahead log was left behind by a process that ended without closing it: there is a log, and no index of it. A reader would make
 * that index and leave it there (sqlite.org/walformat.html, section 2.2). null: there is no such log, or an index came meanwhile, so that somebody has it open and it can be read as it is.
 */
export function copyOfLeftBehind(path: string): CopiedDatabase | null {
  if (!isLeftBehind(path)) return null
  const folder = mkdtempSync(join(tmpdir(), 'planegate-explain-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    const copy = join(folder, 'planegate.db')
    copyFileSync(path, copy)
    copyFileSync(`${path}-wal`, `${copy}-wal`)
    if (isLeftBehind(path)) return { path: copy, remove }
    remove()
    return null
  } catch (cause) {
    remove()
    const detail = cause instanceof Error ? cause.message : 'unknown error'
    throw new DatabaseUnusable('cannot-open', `cannot copy the database ${path} and its log, to read them: ${detail}`, cause)
  }
}

function isLeftBehind(path: string): boolean {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
  return log !== undefined && log.size > 0 && statSync(`${path}-shm`, { throwIfNoEntry: false }) === undefined
}
