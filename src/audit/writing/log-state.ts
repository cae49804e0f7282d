import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type ChainHead, GENESIS, lineDigest, linkOf } from '../format/chain.ts'
import { CompactTree, leafHash, toBase64 } from '../format/merkle-tree.ts'
import { listSegments, type Segment } from '../format/segments.ts'
import { bytesOf, readLines } from '../reading/segment-lines.ts'
import { type LinkEvent, linkEventOf, restoredTree } from './link-events.ts'

/** Bytes at the end of a segment that are no whole record: what a crash cut short. */
export interface TornEnd {
  readonly file: string
  readonly bytes: number
  /** SHA-256 (hex). */
  readonly digest: string
}

/** Where the log in a directory stands. */
export interface LogState {
  readonly head: ChainHead
  readonly tree: CompactTree
  /** How the log names itself; null: nothing is written yet. */
  readonly origin: string | null
  readonly lastSegment: string | null
  /** Newest last; without those that an earlier start has named. A segment without a byte counts as one. */
  readonly torn: readonly TornEnd[]
  /** Whether the last line is that of an orderly stop. */
  readonly closed: boolean
  /** Digest of the newest checkpoint that a line names. */
  readonly namedCheckpoint: string | null
  /** The first line that does not follow the one before it: `file:line`; null: all do. */
  readonly broken: string | null
  /** The root (base64) when the log had so many lines; only of the sizes that were asked for. */
  readonly roots: ReadonlyMap<number, string>
}

/**
 * Reads the end of a log: from the newest segment that begins no later than the sizes of interest, and whose tree it can go on with, to the last whole record. Changes
 * nothing. Says nothing about the segments before.
 */
export async function readLogState(directory: string, sizes: readonly number[]): Promise<LogState> {
  const { segments } = await listSegments(directory)
  const reading = new LogReading(new Set(sizes))
  const from = await beginning(directory, segments, Math.min(...sizes, Number.POSITIVE_INFINITY))
  for (const segment of segments.slice(from)) await reading.read(directory, segment)
  return reading.state()
}

/**
 * Index of the segment to begin at: the newest that carries a tree over no more lines than `size`, and in which a start got far enough to name what the one before it
 * left behind.
 */
async function beginning(directory: string, segments: readonly Segment[], size: number): Promise<number> {
  for (let index = segments.length - 1; index > 0; index--) {
    const { file, seq } = segments[index] as Segment
    if (seq - 1 <= size && (await isSettled(join(directory, file)))) return index
  }
  return 0
}

async function isSettled(path: string): Promise<boolean> {
  let first = true
  for await (const { line, whole } of readLines(path)) {
    const event = linkEventOf(line)
    if (first && restoredTree(event, linkOf(line)) === null) return false
    if (!first && (!whole || linkOf(line) === null)) return false
    if (!first && event?.event !== 'diverged') return true
    first = false
  }
  return false
}

/** Goes through segments in order, and keeps what the writer must know. */
class LogReading {
  readonly #sizes: ReadonlySet<number>
  readonly #roots = new Map<number, string>()
  readonly #torn: TornEnd[] = []
  readonly #tornNamed = new Set<string>()
  #head: ChainHead = GENESIS
  #tree = new CompactTree()
  #begun = false
  #origin: string | null = null
  #lastSegment: string | null = null
  #closed = false
  #named: string | null = null
  #broken: string | null = null

  constructor(sizes: ReadonlySet<number>) {
    this.#sizes = sizes
    this.#note()
  }

  async read(directory: string, { file, name }: Segment): Promise<void> {
    const path = join(directory, file)
    let end = 0
    let number = 0
    let torn = false
    for await (const { line, offset, whole } of readLines(path)) {
      number += 1
      // What stands behind a gap was never synced: after a power cut later pages may be there without earlier ones.
      torn = !(whole && this.#take(line, `${file}:${number}`))
      if (torn) break
      end = offset + line.length + 1
    }
    this.#lastSegment = name
    if (torn || number === 0) this.#torn.push({ file: name, ...(await endOf(path, end)) })
  }

  /** False: it is no line of a log. */
  #take(line: Buffer, place: string): boolean {
    const link = linkOf(line)
    if (link === null || !isJson(line)) return false
    const event = linkEventOf(line)
    if (!this.#begun) this.#begin(event, link)
    if (link.seq !== this.#head.seq + 1 || link.prev !== this.#head.digest) this.#broken ??= place
    this.#tree.push(leafHash(line))
    this.#head = { seq: this.#tree.size, digest: lineDigest(line) }
    this.#closed = event?.event === 'closed'
    this.#origin = event?.log ?? this.#origin
    this.#named = event?.checkpoint ?? this.#named
    for (const file of event?.torn ?? []) this.#tornNamed.add(file)
    this.#note()
    return true
  }

  #begin(event: LinkEvent | null, link: { readonly seq: number; readonly prev: string }): void {
    this.#begun = true
    const tree = restoredTree(event, link)
    if (tree === null) return
    this.#tree = tree
    this.#head = { seq: link.seq - 1, digest: link.prev }
    this.#note()
  }

  #note(): void {
    if (this.#sizes.has(this.#tree.size)) this.#roots.set(this.#tree.size, toBase64(this.#tree.root()))
  }

  state(): LogState {
    return {
      head: this.#head,
      tree: this.#tree,
      origin: this.#origin,
      lastSegment: this.#lastSegment,
      torn: this.#torn.filter(({ file }) => !this.#tornNamed.has(file)),
      closed: this.#closed,
      namedCheckpoint: this.#named,
      broken: this.#broken,
      roots: this.#roots,
    }
  }
}

/** A power cut may leave whole blocks of zeros; a line that begins well and does not parse is no record. */
function isJson(line: Buffer): boolean {
  if (!isUtf8(line)) return false
  try {
    JSON.parse(line.toString('utf8'))
    return true
  } catch {
    return false
  }
}

async function endOf(path: string, start: number): Promise<{ bytes: number; digest: string }> {
  const sum = createHash('sha256')
  let offset = 0
  for await (const chunk of bytesOf(path)) {
    const bytes = chunk as Buffer
    if (offset + bytes.length > start) sum.update(bytes.subarray(Math.max(0, start - offset)))
    offset += bytes.length
  }
  return { bytes: Math.max(0, offset - start), digest: sum.digest('hex') }
}
