import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { parseCheckpoint, type WrittenCheckpoint } from '../format/checkpoint.ts'
import { openRegularFile } from './regular-file.ts'

/** What stands between two empty lines of a file of checkpoints. */
export interface WrittenNote {
  /** Number of its first line. */
  readonly line: number
  /** Bytes before it, and up to its end. */
  readonly offset: number
  readonly end: number
  /** As it is written; null: it is not text, or longer than any note. */
  readonly text: string | null
  /** null: it is no checkpoint. */
  readonly checkpoint: WrittenCheckpoint | null
}

const LONGEST_NOTE = 64 * 1024
const SIGNATURE = Buffer.from('\u2014 ')

/** Where a reader of notes goes on: byte offset, and number of the line there. */
interface Start {
  readonly offset: number
  readonly line: number
}

/**
 * The notes of a file from `start` up to `end` (bytes), in bounded memory. Strict: every byte belongs to a note, or to the one empty line between two. An empty line
 * that a signature follows belongs to the note. Throws when the file cannot be read.
 */
export async function* readNotes(path: string, end: number, start: Start = { offset: 0, line: 1 }): AsyncGenerator<WrittenNote> {
  if (end <= start.offset) return
  const notes = new NoteSplitter(start)
  const file = createReadStream(path, { fd: openRegularFile(path), start: start.offset, end: end - 1 })
  for await (const chunk of file) yield* notes.take(chunk as Buffer)
  yield* notes.rest()
}

class NoteSplitter {
  #line: number
  #noteLine: number
  #offset: number
  /** What is read and not yet given: one note, and what of the next has come. */
  #bytes: Buffer = Buffer.alloc(0)
  #tooLong = false

  constructor({ offset, line }: Start) {
    this.#offset = offset
    this.#line = line
    this.#noteLine = line
  }

  *take(chunk: Buffer): Generator<WrittenNote> {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (let from = 0; ; ) {
      const blank = this.#bytes.indexOf('\n\n', from)
      // Three bytes behind an empty line tell whether a signature follows.
      if (blank === -1 || this.#bytes.length < blank + 2 + SIGNATURE.length) break
      if (this.#bytes.subarray(blank + 2, blank + 2 + SIGNATURE.length).equals(SIGNATURE)) from = blank + 1
      else {
        yield this.#note(blank + 1)
        this.#skip(blank + 2)
        from = 0
      }
    }
    if (this.#bytes.length <= 2 * LONGEST_NOTE) return
    this.#tooLong = true
    this.#skip(this.#bytes.length - SIGNATURE.length - 2, true)
  }

  /** Nothing follows. An empty line at the very end is a note without a byte, which is none. */
  *rest(): Generator<WrittenNote> {
    const blank = this.#bytes.lastIndexOf('\n\n')
    const last = this.#bytes.subarray(blank + 2)
    const cutSignature = last.length > 0 && SIGNATURE.subarray(0, last.length).equals(last)
    if (blank !== -1 && last.length < SIGNATURE.length && !cutSignature) {
      yield this.#note(blank + 1)
      this.#skip(blank + 2)
      yield this.#note(last.length)
    } else if (this.#bytes.length > 0 || this.#tooLong) yield this.#note(this.#bytes.length)
  }

  #note(length: number): WrittenNote {
    const bytes = this.#bytes.subarray(0, length)
    const text = this.#tooLong || length > LONGEST_NOTE || !isUtf8(bytes) ? null : bytes.toString('utf8')
    this.#tooLong = false
    const checkpoint = text === null ? null : parseCheckpoint(text)
    return { line: this.#noteLine, offset: this.#offset, end: this.#offset + length, text, checkpoint }
  }

  #skip(length: number, sameNote = false): void {
    for (let at = this.#bytes.indexOf(0x0a); at !== -1 && at < length; at = this.#bytes.indexOf(0x0a, at + 1)) this.#line += 1
    this.#bytes = this.#bytes.subarray(length)
    this.#offset += length
    if (!sameNote) this.#noteLine = this.#line
  }
}
