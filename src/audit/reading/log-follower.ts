import { join } from 'node:path'
import { listSegments } from '../format/segments.ts'
import type { LogLine } from './log-line.ts'
import { type ReadUpTo, segmentRecords, whereNow } from './log-records.ts'
import type { RecordMatcher } from './record-filter.ts'
import { regularFile } from './regular-file.ts'

/** Reads a log while it is written, from a place on; through new segments, and through the compression of old ones. */
export class LogFollower {
  readonly #directory: string
  readonly #matcher: RecordMatcher
  #name: string | null
  #offset: number
  /** A compressed segment that was read to its end: it does not grow. */
  #done: string | null = null

  /** `from` null: there is no segment yet. */
  constructor(directory: string, matcher: RecordMatcher, from: ReadUpTo | null) {
    this.#directory = directory
    this.#matcher = matcher
    this.#name = from?.name ?? null
    this.#offset = from?.offset ?? 0
  }

  /** What is new since the last call. Throws when the directory or a segment cannot be read; the next call goes on where this one came to. */
  async *poll(): AsyncGenerator<LogLine> {
    // Listed before anything is read: of a segment that another follows here, all is read.
    const { segments } = await listSegments(this.#directory)
    const at = segments.findIndex(({ name }) => name === this.#name)
    const known = this.#name === null || at !== -1
    // One that was archived meanwhile: go on with those that are named after later lines.
    const rest = known ? segments.slice(Math.max(0, at)) : segments.filter(({ name }) => name > (this.#name ?? ''))
    for (const segment of rest) {
      if (segment.name !== this.#name) this.#offset = 0
      this.#name = segment.name
      const now = whereNow(this.#directory, segment)
      const size = regularFile(join(this.#directory, now.file))?.size ?? 0
      if (now.compressed ? this.#done === segment.name : size === this.#offset) continue
      yield* segmentRecords(this.#directory, now, this.#matcher, this.#offset, (offset) => {
        this.#offset = offset
      })
      if (now.compressed) this.#done = segment.name
    }
  }
}
