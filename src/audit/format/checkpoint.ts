import { hash } from 'node:crypto'
import { type Note, type NoteKey, parseNote, signedBy } from './signed-note.ts'

/** The head of a log's tree (c2sp.org/tlog-checkpoint), without extension lines. */
export interface Checkpoint {
  /** Which log: the same in all of its checkpoints, and in its first line. */
  readonly origin: string
  /** Lines covered. */
  readonly size: number
  /** Base64. */
  readonly root: string
}

/** A checkpoint as it stands in a file of them, its signatures not yet looked at. */
export interface WrittenCheckpoint extends Checkpoint {
  readonly note: Note
  /** SHA-256 (hex) of the whole note: how a later line of the log names it. */
  readonly digest: string
  /** Where its last byte is, in bytes from the file's start. */
  readonly end: number
}

const BODY = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/

export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root}\n`
}

/** null when the text is no checkpoint of ours. */
export function parseCheckpoint(note: string): WrittenCheckpoint | null {
  const parsed = parseNote(note)
  const [, origin, size, root] = (parsed && BODY.exec(parsed.text)) ?? []
  if (parsed === null || origin === undefined || size === undefined || root === undefined) return null
  if (Buffer.from(root, 'base64').toString('base64') !== root) return null
  const digest = noteDigest(note)
  return { origin, size: Number(size), root, note: parsed, digest, end: Buffer.byteLength(note) }
}

export function noteDigest(note: string): string {
  return hash('sha256', note)
}

/**
 * The notes of a file, one after another with an empty line between two; `rest`: bytes at the end that are no whole note. Looked at as bytes: what is no UTF-8 must not
 * change where anything stands.
 */
export function parseCheckpoints(file: Buffer): { readonly checkpoints: WrittenCheckpoint[]; readonly rest: number } {
  const checkpoints: WrittenCheckpoint[] = []
  let end = 0
  for (const [index, part] of file.toString('latin1').split(BETWEEN_NOTES).entries()) {
    const bytes = Buffer.from(part, 'latin1')
    const text = bytes.toString('utf8')
    const checkpoint = Buffer.from(text).equals(bytes) ? parseCheckpoint(text) : null
    if (checkpoint === null) break
    end += (index === 0 ? 0 : 1) + bytes.length
    checkpoints.push({ ...checkpoint, end })
  }
  return { checkpoints, rest: file.length - end }
}

/** An empty line that no signature follows; the em dash as its UTF-8 bytes. */
const BETWEEN_NOTES = /(?<=\n)\n(?!\xe2\x80\x94 )/

/** Whether one of the keys, each under the origin's name, vouches for it. */
export function vouchedFor({ origin, note }: WrittenCheckpoint, keysNamed: (origin: string) => readonly NoteKey[]): boolean {
  return signedBy(note, keysNamed(origin))
}
