import type { Clock } from '../../ports/clock.ts'
import type { AuditChain } from '../format/chain.ts'
import { toBase64 } from '../format/merkle-tree.ts'
import { AuditFile } from './audit-file.ts'
import { type AuditLock, takeAuditLock } from './audit-lock.ts'
import type { SegmentOptions } from './audit-options.ts'
import type { Checkpoints } from './checkpoints.ts'

export interface LogFilesOptions {
  readonly directory: string
  readonly lock: AuditLock
  readonly chain: AuditChain
  readonly origin: string
  readonly lastSegment: string | null
  readonly segment: SegmentOptions
  readonly checkpoints: Checkpoints | null
  readonly clock: Clock
}

/** What a segment line says. */
export type SegmentFields = Readonly<Record<string, unknown>>

/** The files of a log as they are written: the lock, the segment at the end, the checkpoints beside it. */
export class LogFiles {
  readonly #options: LogFilesOptions
  #lock: AuditLock | null
  #file: AuditFile | null = null
  #begun = Number.NEGATIVE_INFINITY
  #last: string | null
  #cause: 'start' | 'size' | 'age' = 'start'
  /** The segment does not begin with a segment line, because another was taken away under it: it ends as soon as may be. */
  #makeshift = false

  constructor(options: LogFilesOptions) {
    this.#options = options
    this.#lock = options.lock
    this.#last = options.lastSegment
  }

  /** The segment being written; null: the next record begins one. */
  get current(): string | null {
    return this.#file?.name ?? null
  }

  /** What the first line of the next segment says, given that every line so far is sealed. */
  segmentFields(): SegmentFields {
    const { chain, origin, checkpoints } = this.#options
    const tree = chain.tree.roots.map(toBase64)
    return { log: origin, cause: this.#cause, after: this.#last, tree, checkpoint: checkpoints?.digest ?? null }
  }

  /** `linked`: the batch begins with a segment line. */
  async append(bytes: Buffer, firstSeq: number, linked: boolean): Promise<void> {
    if (this.#file === null) {
      this.#file = await AuditFile.create(this.#options.directory, firstSeq)
      this.#begun = this.#options.clock.monotonic()
      this.#makeshift = !linked
      this.#last = this.#file.name
    }
    await this.#file.append(bytes)
  }

  async sync(): Promise<void> {
    await this.#file?.sync()
  }

  /** What was written and not synced is to be written again. */
  rewind(): void {
    this.#file?.rewind()
  }

  /** Whether the segment is to end. Everything in it must be synced before `end`. */
  get full(): boolean {
    return this.#endCause() !== null
  }

  #endCause(): 'size' | 'age' | null {
    if (this.#file === null) return null
    const { segment, clock } = this.#options
    if (this.#makeshift || this.#file.size >= segment.size) return 'size'
    return clock.monotonic() - this.#begun >= segment.age ? 'age' : null
  }

  /** Ends the segment; the next record begins another. */
  async end(): Promise<void> {
    const file = this.#file
    this.#cause = this.#endCause() ?? 'size'
    this.#file = null
    await file?.close()
  }

  /** After a failure: the same file if it is still there, else a new one, in a directory that may have to be locked anew. */
  async regainPlace(): Promise<void> {
    if (!this.#lock?.inPlace()) {
      this.#lock?.release()
      this.#lock = null
      this.#lock = takeAuditLock(this.#options.directory)
    }
    if (this.#file === null || (await this.#file.inPlace())) return
    await this.end()
  }

  /** Gives up the directory. */
  async close(): Promise<void> {
    try {
      await this.#file?.close()
      await this.#options.checkpoints?.close()
    } finally {
      this.#file = null
      this.#lock?.release()
      this.#lock = null
    }
  }
}
