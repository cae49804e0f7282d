import { hash } from 'node:crypto'
import { closeSync, fstatSync, lstatSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { parseCheckpoints, type WrittenCheckpoint } from '../format/checkpoint.ts'
import { CHECKPOINTS } from '../format/segments.ts'
import { isTornNote } from '../format/torn-note.ts'
import { openRegularFile } from '../reading/regular-file.ts'
import { AuditFile } from './audit-file.ts'

/** Bytes from the end of the file in which the newest checkpoint is looked for; one takes less than 1 KiB. */
const TAIL = 64 * 1024

/** How the checkpoints of a log end. */
export interface CheckpointEnd {
  readonly newest: WrittenCheckpoint | null
  /** Of the newest ones. */
  readonly digests: ReadonlySet<string>
  /** Length of the file without a torn end. */
  readonly length: number
  /** What a crash left of a checkpoint; null: nothing. */
  readonly torn: { readonly bytes: number; readonly digest: string } | null
  /** The end of the file is neither a checkpoint nor the beginning of one. */
  readonly altered: boolean
}

/** Reads the end of `audit.checkpoints`. A file that is not there has no checkpoints. */
export async function readCheckpointEnd(directory: string): Promise<CheckpointEnd> {
  const bytes = await tailOf(join(directory, CHECKPOINTS))
  if (bytes === null) return { newest: null, digests: new Set(), length: 0, torn: null, altered: false }
  // Of a long file the first note may be cut: the next begins after an empty line that no signature follows.
  const begin = bytes.start === 0 ? 0 : (NEXT_NOTE.exec(bytes.tail.toString('latin1'))?.index ?? bytes.tail.length - 2) + 2
  const { checkpoints, rest } = parseCheckpoints(bytes.tail.subarray(begin))
  const whole = bytes.tail.length - rest
  const torn = bytes.tail.subarray(whole)
  const newest = checkpoints.at(-1) ?? null
  return {
    newest,
    digests: new Set(checkpoints.map(({ digest }) => digest)),
    length: bytes.start + whole,
    torn: rest === 0 ? null : { bytes: rest, digest: hash('sha256', torn) },
    // Zeros are what a power cut leaves of a block that was never written.
    altered: rest > 0 && !torn.includes(0) && !isTornNote(torn, newest?.origin ?? null, newest === null && bytes.start === 0),
  }
}

/** As bytes: an empty line, and no em dash behind it. */
const NEXT_NOTE = /\n\n(?!\xe2\x80\x94)/

async function tailOf(path: string): Promise<{ readonly start: number; readonly tail: Buffer } | null> {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null
  const descriptor = openRegularFile(path)
  try {
    const { size } = fstatSync(descriptor)
    const tail = Buffer.alloc(Math.min(size, TAIL))
    const read = readSync(descriptor, tail, 0, tail.length, size - tail.length)
    return { start: size - tail.length, tail: tail.subarray(0, read) }
  } finally {
    closeSync(descriptor)
  }
}

/** `audit.checkpoints` as it grows: notes with an empty line between two. */
export class CheckpointFile {
  readonly #directory: string
  #file: AuditFile | null = null
  #length: number

  /** `length`: what of the file is to be kept. */
  constructor(directory: string, length: number) {
    this.#directory = directory
    this.#length = length
  }

  /** Resolves when the note is on disk. After a failure the next one is written in its place. */
  async append(note: string): Promise<void> {
    try {
      this.#file ??= await AuditFile.goOn(this.#directory, CHECKPOINTS, this.#length)
      await this.#file.append(Buffer.from(this.#file.size === 0 ? note : `\n${note}`))
      await this.#file.sync()
      this.#length = this.#file.size
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close()
  }
}
