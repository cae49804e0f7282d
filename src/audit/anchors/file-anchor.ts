import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checkpointHead, goesBeyond } from '../../domain/checkpoint-head.ts'
import type { AuditAnchor } from '../../ports/audit-anchor.ts'
import type { Clock } from '../../ports/clock.ts'
import { isTornNote } from '../format/torn-note.ts'
import { type AnchoredNote, readWindow } from './note-window.ts'

/** Milliseconds between two notes: half a million a year. */
const BETWEEN = 60_000

/**
 * Checkpoints in a file outside the directory of the log, best on another disk or in the care of another account. Only ever
 * appended to, one note a minute at most (but the last of a stop always), in the format of `audit.checkpoints`. What is neither a
 * checkpoint nor one that a crash cut short is never touched: then nothing is kept or told until somebody has moved the file
 * away.
 */
export function fileAnchor(path: string, clock: Clock): AuditAnchor {
  const appended = new Map<string, number>()
  let turn: Promise<unknown> = Promise.resolve()
  return {
    place: path,
    put(note, origin, last = false) {
      const put = turn.then(async () => {
        if (!last && clock.monotonic() - (appended.get(origin) ?? Number.NEGATIVE_INFINITY) < BETWEEN) return
        await append(path, note, origin)
        appended.set(origin, clock.monotonic())
      })
      turn = put.catch(() => {})
      return put
    },
    async latest(origin) {
      const file = await opened(path, 'r')
      if (file === null) return null
      try {
        return (await endOf(file, path, origin, null)).newest?.text ?? null
      } finally {
        await file.close()
      }
    },
  }
}

async function append(path: string, note: string, origin: string): Promise<void> {
  const offered = checkpointHead(note)
  if (offered?.origin !== origin) throw new Error(`What was to be kept in ${path} is no checkpoint of ${origin}.`)
  const file = await opened(path, 'a+')
  if (file === null) throw new Error(`${path} cannot be made.`)
  try {
    const { newest, length, size } = await endOf(file, path, origin, origin)
    if (newest !== null && !goesBeyond(offered, newest)) return
    if (length < size) await file.truncate(length)
    await file.appendFile(length === 0 ? note : `\n${note}`)
    await file.datasync()
    if (length === 0) await syncFolder(path)
  } catch (error) {
    throw failureAt(path, error)
  } finally {
    await file.close()
  }
}

interface FileEnd {
  readonly newest: AnchoredNote | null
  /** Bytes without a torn end, and with it. */
  readonly length: number
  readonly size: number
}

/**
 * Looks for the newest checkpoint of a log from the end back, for as far as it takes. `tornOf`: whose note may be torn; null:
 * anybody's.
 */
async function endOf(file: FileHandle, path: string, origin: string, tornOf: string | null): Promise<FileEnd> {
  const { size } = await file.stat()
  let window = await readWindow(file, size)
  const length = size - window.rest.length
  if (!isTornNote(window.rest, tornOf, length === 0)) throw foreign(path, length)
  for (;;) {
    const newest = window.notes.findLast((note) => note.origin === origin) ?? null
    if (newest !== null || window.begin === 0) return { newest, length, size }
    if (window.notes.length === 0) throw foreign(path, window.begin)
    const end = window.begin - 1
    window = await readWindow(file, end)
    if (window.rest.length > 0) throw foreign(path, end - window.rest.length)
  }
}

function foreign(path: string, offset: number): Error {
  return new Error(`${path} holds something else than checkpoints, from byte ${offset} on: move it away, or name another file.`)
}

/**
 * null: there is no such file, but there is its folder. A disk that is not mounted must not pass for an anchor without
 * checkpoints.
 */
async function opened(path: string, flags: 'r' | 'a+'): Promise<FileHandle | null> {
  try {
    const found = await stat(path).catch(absent)
    if (found !== null && !found.isFile()) throw new Error(`${path} is not a file.`)
    if (found === null && !(await stat(dirname(path))).isDirectory()) throw new Error(`${dirname(path)} is not a folder.`)
    return found === null && flags === 'r' ? null : await open(path, flags, 0o600)
  } catch (error) {
    throw failureAt(path, error)
  }
}

function absent(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null
  throw error
}

/** A file that was just made is lost in a power cut unless its folder is on disk too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const TROUBLE: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is none',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EFBIG: 'the file may not grow further',
  EIO: 'the disk fails',
}

function failureAt(path: string, error: unknown): unknown {
  const code = codeOf(error)
  if (code === null) return error
  return new Error(`${path} cannot be used to keep checkpoints: ${TROUBLE[code] ?? code}.`, { cause: error })
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
}
