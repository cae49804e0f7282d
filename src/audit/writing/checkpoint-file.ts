import { hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { parseCheckpoints, type WrittenCheckpoint } from '../format/checkpoint.ts'
import { CHECKPOINTS } from '../format/segments.ts'
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
  const text = bytes.tail.toString('utf8')
  // Of a long file the first note may be cut: the next begins after an empty line that no signature follows.
  const begin = bytes.start === 0 ? 0 : (/\n\n(?!\u2014)/u.exec(text)?.index ?? text.length - 2) + 2
  const skipped = Buffer.byteLength(text.slice(0, begin))
  const { checkpoints, rest } = parseCheckpoints(text.slice(begin))
  const whole = bytes.tail.length - rest
  const torn = bytes.tail.subarray(whole)
  return {
    newest: checkpoints.at(-1) ?? null,
    digests: new Set(checkpoints.map(({ digest }) => digest)),
    length: bytes.start + whole,
    torn: rest === 0 ? null : { bytes: rest, digest: hash('sha256', torn) },
    altered: rest > 0 && (endsLikeNote(torn) || (checkpoints.length === 0 && bytes.start + skipped > 0)),
  }
}

/** A crash cuts a note short: what ends in a newline behind a signature was written to its end and changed since. */
function endsLikeNote(bytes: Buffer): boolean {
  const text = bytes.toString('utf8')
  return text.endsWith('\n') && text.includes('\u2014')
}

async function tailOf(path: string): Promise<{ readonly start: number; readonly tail: Buffer } | null> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  try {
    const { size } = await handle.stat()
    const start = Math.max(0, size - TAIL)
    const { buffer } = await handle.read({ buffer: Buffer.alloc(size - start), position: start })
    return { start, tail: buffer }
  } finally {
    await handle.close()
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
