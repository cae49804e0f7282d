import { isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import { parseCheckpoint, type WrittenCheckpoint } from '../format/checkpoint.ts'

/** Bytes read at once. A checkpoint takes less than 1 KiB. */
const WINDOW = 64 * 1024
/** An empty line between two notes, which is the one that no signature follows (latin1). */
const BETWEEN = /(?<=\n)\n(?!\xe2\x80\x94 )/

/** A checkpoint with the bytes that it was read from. */
export interface AnchoredNote extends WrittenCheckpoint {
  readonly text: string
}

/** Whole notes of a part of a file. */
export interface NoteWindow {
  readonly notes: readonly AnchoredNote[]
  /** Where the first of them begins, in bytes from the file's start. 0: nothing is before it. */
  readonly begin: number
  /** What is behind the last whole note. */
  readonly rest: Buffer
}

/** The notes that end at `end`, as many as fit. Without any and not at the file's start: there is something else. */
export async function readWindow(file: FileHandle, end: number): Promise<NoteWindow> {
  const start = Math.max(0, end - WINDOW)
  const bytes = await readBytes(file, start, end)
  // A power cut may leave zeros in the place of what was to be there.
  let written = bytes.length
  while (bytes[written - 1] === 0) written -= 1
  // In latin1 a character is a byte, so that places in the text are places in the file.
  const parts = bytes.toString('latin1', 0, written).split(BETWEEN)
  // A window that does not begin with the file begins somewhere in a note.
  let next = start === 0 ? 0 : (parts.shift() ?? '').length + 1
  const begin = start + next
  let whole = Math.min(next, bytes.length)
  const notes: AnchoredNote[] = []
  for (const part of parts) {
    const note = noteOf(Buffer.from(part, 'latin1'))
    if (note === null) break
    notes.push(note)
    whole = next + part.length
    next = whole + 1
  }
  return { notes, begin, rest: bytes.subarray(whole) }
}

function noteOf(bytes: Buffer): AnchoredNote | null {
  const text = isUtf8(bytes) ? bytes.toString('utf8') : ''
  const checkpoint = parseCheckpoint(text)
  return checkpoint === null ? null : { ...checkpoint, text }
}

async function readBytes(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start)
  let length = 0
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, start + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}
