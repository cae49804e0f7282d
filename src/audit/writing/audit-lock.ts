import { chmodSync, lstatSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The right to be the only writer of a directory. */
export interface AuditLock {
  /** False when the lock file was moved or deleted, with its directory perhaps: then it locks out nobody. */
  inPlace(): boolean
  release(): void
}

/**
 * Takes the directory for this process, or throws a sentence that says who has it. The lock is one of the operating system, held through
 * SQLite because Node has no call for it: it ends with the process however that dies, so none is ever left over, and a process id used
 * again (every container's first process is 1) cannot be taken for a holder. `audit.pid` is only there to be read by people.
 */
export function takeAuditLock(directory: string): AuditLock {
  const path = join(directory, 'audit.lock')
  const pidPath = join(directory, 'audit.pid')
  let database: DatabaseSync | undefined
  try {
    refuseOddJournal(`${path}-journal`)
    database = new DatabaseSync(path, { timeout: 0 })
    chmodSync(path, 0o600)
    // A journal would need room on the disk, which may be full when a gateway starts.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    tellHolder(pidPath)
    const held = database
    const inode = statSync(path).ino
    return { release: () => held.close(), inPlace: () => statSync(path, { throwIfNoEntry: false })?.ino === inode }
  } catch (error) {
    database?.close()
    throw new Error(refusalSentence(directory, pidPath, error), { cause: error })
  }
}

const SQLITE_BUSY = 5
const SQLITE_FULL = 13

/** SQLite would read a pipe of that name, and wait for ever. */
function refuseOddJournal(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) throw new Error(`${path} is no file.`)
}

/** For people only: without room for it the lock holds all the same. */
function tellHolder(pidPath: string): void {
  try {
    writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 })
  } catch {}
}

function refusalSentence(directory: string, pidPath: string, error: unknown): string {
  const busy = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY
  const full =
    error instanceof Error &&
    (('errcode' in error && error.errcode === SQLITE_FULL) || ('code' in error && error.code === 'ENOSPC'))
  if (full) return `The audit directory ${directory} cannot be locked: its disk is full.`
  if (!busy) return `The audit directory ${directory} cannot be locked; it must exist and be writable.`
  return `The audit directory ${directory} is in use by process ${holder(pidPath)}; two gateways need two directories.`
}

function holder(pidPath: string): string {
  try {
    return readFileSync(pidPath, 'utf8').trim()
  } catch {
    return '(unknown)'
  }
}
