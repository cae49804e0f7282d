import { vouchedFor, type WrittenCheckpoint } from '../format/checkpoint.ts'
import type { NoteKey } from '../format/signed-note.ts'
import type { Findings, Place } from './findings.ts'
import { readNotes, type WrittenNote } from './note-file.ts'
import type { Origin } from './origin.ts'
import { regularFile } from './regular-file.ts'

/** A checkpoint that one of the given keys signed. */
export interface SignedCheckpoint {
  readonly checkpoint: WrittenCheckpoint
  readonly place: Place
}

interface Source {
  /** What findings begin with, and are told about. */
  readonly kind: 'checkpoint' | 'anchor'
  readonly path: string
  /** The name of the file in findings. */
  readonly name: string
  /** Bytes of it that are read. */
  readonly length: number
}

interface Rules {
  readonly keysNamed: (origin: string) => readonly NoteKey[]
  /** A torn end is allowed: somebody may be writing it. */
  readonly open: boolean
  readonly origin: Origin
}

/** Parts, with an empty line between two, that a torn note can have: its text, and what is left of its signature. */
const MOST_TORN = 2

/** The checkpoints of a file in order of size, each looked at by itself: form, signature, order. What is wrong is a finding, and left out. */
export class CheckpointFeed {
  readonly #source: Source
  readonly #rules: Rules
  readonly #findings: Findings
  readonly #notes: AsyncGenerator<WrittenNote>
  #next: SignedCheckpoint | null = null
  /** What is no checkpoint, as long as none follows. */
  #unread: { readonly place: Place; readonly texts: readonly (string | null)[] } | null = null
  #size = -1
  /** Checkpoints that are signed. */
  count = 0
  /** Ids (hex) of the keys that signed them. */
  readonly signers = new Set<string>()
  /** Behind the last whole note and the empty line after it. */
  #behind = { offset: 0, line: 1 }

  constructor(source: Source, rules: Rules, findings: Findings) {
    this.#source = source
    this.#rules = rules
    this.#findings = findings
    this.#notes = readNotes(source.path, source.length)
  }

  get name(): string {
    return this.#source.name
  }

  get kind(): 'checkpoint' | 'anchor' {
    return this.#source.kind
  }

  /** The one that is to be compared next; null: there is none. */
  get next(): SignedCheckpoint | null {
    return this.#next
  }

  /** Goes to the next checkpoint. Throws when the file cannot be read. */
  async advance(): Promise<void> {
    this.#next = null
    while (this.#next === null && !this.#findings.full) {
      const { value: note, done } = await this.#notes.next()
      if (done === true) return this.#finish()
      const place = { file: this.#source.name, line: note.line, seq: null, offset: note.offset }
      if (note.checkpoint === null) this.#unread = this.#withUnread(place, note.text)
      else {
        this.#reportUnread()
        this.#take(note.checkpoint, place)
        this.#behind = { offset: note.end + 1, line: note.line + (note.text?.split('\n').length ?? 1) }
      }
    }
  }

  /** Digests of the checkpoints that were written since the feed was made. Empty when they are not `wanted`. */
  async sinceThen(wanted: boolean): Promise<ReadonlySet<string>> {
    const digests = new Set<string>()
    const size = wanted ? (regularFile(this.#source.path)?.size ?? 0) : 0
    for await (const { checkpoint } of readNotes(this.#source.path, size, this.#behind))
      if (checkpoint !== null) digests.add(checkpoint.digest)
    return digests
  }

  async close(): Promise<void> {
    await this.#notes.return(undefined)
  }

  #take(checkpoint: WrittenCheckpoint, place: Place): void {
    const { kind } = this.#source
    const here = { ...place, seq: checkpoint.size }
    const cosigned = kind === 'checkpoint' && checkpoint.note.signatures.length !== 1
    if (cosigned || !vouchedFor(checkpoint, this.#rules.keysNamed)) {
      const message = cosigned ? 'has another signature besides the log\u2019s' : 'is not signed by any of the given keys'
      this.#findings.add(
        `${kind}-unsigned`,
        here,
        `the ${kind} over ${checkpoint.size} lines of ${JSON.stringify(checkpoint.origin)} ${message}`,
      )
      return
    }
    this.count += 1
    this.#rules.origin.named(checkpoint.origin, here)
    const keys = this.#rules.keysNamed(checkpoint.origin)
    for (const { id } of checkpoint.note.signatures)
      if (keys.some((key) => key.id.equals(id))) this.signers.add(id.toString('hex'))
    if (kind === 'anchor' ? checkpoint.size < this.#size : checkpoint.size <= this.#size) {
      this.#findings.add(
        `${kind}-order`,
        here,
        `the ${kind} covers ${checkpoint.size} lines, and one before it ${this.#size}: taken twice, or out of place`,
      )
      return
    }
    this.#size = checkpoint.size
    this.#next = { checkpoint, place: here }
  }

  #withUnread(place: Place, text: string | null): { readonly place: Place; readonly texts: readonly (string | null)[] } {
    const { place: first, texts } = this.#unread ?? { place, texts: [] }
    return { place: first, texts: [...texts, text].slice(0, MOST_TORN + 1) }
  }

  #reportUnread(): void {
    const { kind } = this.#source
    if (this.#unread !== null)
      this.#findings.add(`${kind}-invalid`, this.#unread.place, `what stands here is no ${kind} in the form of a signed note`)
    this.#unread = null
  }

  #finish(): void {
    if (this.#unread === null) return
    const { texts } = this.#unread
    // An anchor that only grows keeps what a crash left of a note. A note is written in one go: what ends in a newline behind a signature was once whole.
    const allowed = this.#rules.open || this.#source.kind === 'anchor'
    const wasWhole = texts.some((text) => text === null || text.includes('\u2014')) && texts.at(-1)?.endsWith('\n') !== false
    const torn = allowed && texts.length <= MOST_TORN && !wasWhole
    if (!torn) this.#reportUnread()
  }
}
