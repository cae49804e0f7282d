import { join } from 'node:path'
import { leafHash } from '../format/merkle-tree.ts'
import type { Segment } from '../format/segments.ts'
import type { ChainCheck } from './chain-check.ts'
import type { EventCheck } from './event-check.ts'
import { type Findings, inFile, type Place } from './findings.ts'
import type { LogFiles } from './log-files.ts'
import { type LogLine, parseLogLine, textOf } from './log-line.ts'
import { logLines } from './log-lines.ts'
import type { SegmentLine } from './segment-lines.ts'
import { type TornEnds, Unreadable } from './torn-ends.ts'
import { NamedEnd } from './torn-naming.ts'
import type { TreeCheck } from './tree-check.ts'

interface Parts {
  readonly directory: string
  readonly findings: Findings
  readonly chain: ChainCheck
  readonly tree: TreeCheck
  readonly torn: TornEnds
  readonly events: EventCheck
}

/** Goes through the segments of a log in order, line by line. */
export class SegmentCheck {
  readonly #parts: Parts
  readonly #files: LogFiles
  /** The segment before; null: none. */
  #previous: string | null = null
  /** The first line may have any number: what came before was archived. */
  readonly #archived: boolean
  #begun = false
  lines = 0
  readonly notes: string[] = []
  /** Segments since the newest one with a line in it beside its own first, that one included. */
  newest = new Set<string>()

  constructor(parts: Parts, from: number | null, files: LogFiles) {
    this.#parts = parts
    this.#archived = from !== null
    this.#files = files
  }

  /** Throws when it cannot be read to its end. */
  async read(segment: Segment): Promise<void> {
    const before = this.lines
    try {
      await this.#readLines(segment)
    } finally {
      if (this.lines > before) this.#previous = segment.name
    }
    // A start that was killed behind the first line of its segment has named nothing yet.
    const named = this.lines - before > (this.#parts.events.last === 'segment' ? 1 : 0)
    this.newest = named ? new Set([segment.name]) : this.newest.add(segment.name)
    this.#previous = segment.name
  }

  async #readLines(segment: Segment): Promise<void> {
    const { findings, torn, directory } = this.#parts
    const before = this.lines
    let number = 0
    const named = new NamedEnd(directory, segment, this.#files.segments)
    let unreadable: Unreadable | null = null
    for await (const piece of logLines(join(directory, segment.file))) {
      const place = { file: segment.file, line: number + 1, seq: this.#parts.chain.seq + 1, offset: piece.offset }
      if (piece.whole) number += 1
      const line = piece.whole ? parseLogLine(piece.line) : null
      if (line === null) {
        unreadable ??= new Unreadable(place)
        unreadable.add(piece)
        if (unreadable.tooLong) break
        continue
      }
      if (unreadable !== null) {
        const end = await named.at(unreadable.place.offset ?? 0)
        if (end !== null) return torn.found(end, unreadable.place)
        this.#lost(unreadable)
      }
      unreadable = null
      await this.#take(line, piece, { ...place, seq: line.seq }, this.lines === before ? segment : null)
      if (findings.full) return
    }
    if (unreadable !== null) torn.found(unreadable.end(segment.name), unreadable.place)
    else if (number === 0) torn.found(new Unreadable(inFile(segment.file)).end(segment.name), inFile(segment.file))
  }

  /** Lines follow what cannot be read: no crash did that. */
  #lost({ place }: Unreadable): void {
    this.#parts.findings.add('line-invalid', place, `here stands no line of the log, where line ${place.seq} belongs`)
    this.#parts.chain.excuse()
    this.#parts.tree.spoil()
  }

  async #take(line: LogLine, { line: bytes }: SegmentLine, here: Place, begins: Segment | null): Promise<void> {
    const { chain, tree, events, findings } = this.#parts
    const first = !this.#begun
    if (first) this.#begin(line, here)
    const found = findings.count
    if (!chain.take(line, bytes, here)) return
    this.lines += 1
    if (!chain.sound || findings.count > found) tree.spoil()
    if (begins !== null) this.#beginning(line, begins, here)
    if (first && line.seq > 1 && !tree.intact)
      findings.add('segment-tree', here, `line ${line.seq} carries no tree over the lines before it; begin at another segment`)
    if (tree.due(line.seq - 1)) await tree.compare(line.seq - 1, here)
    tree.push(leafHash(bytes))
    if (tree.due(line.seq)) await tree.compare(line.seq, here)
    events.take(line, here, (file) => this.#files.isBefore(file))
  }

  #begin(line: LogLine, here: Place): void {
    const { findings, chain } = this.#parts
    this.#begun = true
    if (line.seq === 1) return
    if (!this.#archived)
      findings.add(
        'log-beginning',
        here,
        `the log begins with line ${line.seq}; if older segments were archived, --from ${line.seq} verifies the rest`,
      )
    chain.beginAt(line)
    this.#parts.tree.spoil()
  }

  /** The first line of a segment. */
  #beginning({ seq, record }: LogLine, { name, seq: named }: Segment, here: Place): void {
    const { findings, tree } = this.#parts
    if (seq !== named) findings.add('segment-name', here, `the segment is named after line ${named} and begins with line ${seq}`)
    if (textOf(record, 'event') !== 'segment') {
      this.notes.push(`${name} begins without a \`segment\` line: its file was begun during an outage, or by an older version`)
      return
    }
    const after = textOf(record, 'after')
    const archived = seq > 1 && this.#previous === null
    if (after !== this.#previous && !archived)
      findings.add(
        'segment-after',
        here,
        `line ${seq} says that its segment follows ${after ?? 'nothing'}, and it follows ${this.#previous ?? 'nothing'}`,
      )
    const roots: readonly unknown[] = Array.isArray(record.tree) ? record.tree : []
    const texts = roots.filter((root) => typeof root === 'string')
    if (!tree.intact) tree.restore(seq - 1, texts)
    else if (texts.length !== roots.length || texts.join() !== tree.roots.join())
      findings.add('segment-tree', here, `line ${seq} carries another tree than the lines before it make`)
  }
}
