import type { AuditChain } from '../format/chain.ts'
import { AuditBacklog } from './audit-backlog.ts'
import type { AuditOptions } from './audit-options.ts'
import { AuditWaiters } from './audit-waiters.ts'
import type { Checkpoints } from './checkpoints.ts'
import { Compression } from './compression.ts'
import type { LogFiles } from './log-files.ts'

/** Milliseconds that records gather while writing is frequent; the first one after a pause is written at once. */
const GATHER = 5
/** Milliseconds between two `fdatasync`: what a power cut may take. A killed process loses at most one gathering. */
const SYNC = 250
const RETRY = 250

/** What the log is written with. */
export interface Opening {
  readonly chain: AuditChain
  readonly files: LogFiles
  readonly checkpoints: Checkpoints | null
  /** What this start found, to be recorded before anything else. */
  readonly first: readonly FirstRecord[]
}

/** A record of the log about itself. */
export interface FirstRecord {
  readonly event: 'diverged' | 'recovered'
  readonly fields: Readonly<Record<string, unknown>>
}

/**
 * Brings records, given as JSON texts, to the disk: numbers, hashes, writes, syncs and signs them in batches. A batch that fails is kept and written again, the same bytes
 * in the same order, until it is on disk.
 */
export class LogWriter {
  readonly #options: AuditOptions
  readonly #chain: AuditChain
  readonly #files: LogFiles
  readonly #checkpoints: Checkpoints | null
  readonly #compression: Compression
  readonly #backlog: AuditBacklog
  readonly #waiters = new AuditWaiters()
  readonly #heartbeat: NodeJS.Timeout | null
  /** The time for a checkpoint has come. */
  #signNext = true
  #failure: Error | null = null
  /** Records dropped since the last `shed` record. */
  #shed = 0
  /** Number of the newest batch that was reported as recorded. */
  #reported = 0
  #lastSync = Number.NEGATIVE_INFINITY
  #running: Promise<void> | null = null
  #wake: (() => void) | null = null
  #wakeOnAppend = false
  /** Whatever is queued is written without waiting for more. */
  #stopping = false
  /** Nothing is taken any more. */
  #closing = false

  constructor(options: AuditOptions, { chain, files, checkpoints, first }: Opening) {
    this.#options = options
    this.#chain = chain
    this.#files = files
    this.#checkpoints = checkpoints
    this.#backlog = new AuditBacklog(chain)
    for (const { event, fields } of first) this.push(this.#event(event, fields), true)
    this.#compression = new Compression({
      directory: options.directory,
      after: options.segment.compressAfter,
      current: () => files.current,
      record: (file, bytes, digest) => this.settled(this.#event('compressed', { file, bytes, digest }), true),
      trouble: options.events.trouble,
    })
    this.#heartbeat = checkpoints === null ? null : setInterval(() => this.#beat(), options.checkpoint.interval).unref()
  }

  /** Why nothing can be written now; null: it can. */
  get failure(): Error | null {
    return this.#failure
  }

  get closing(): boolean {
    return this.#closing
  }

  /** Characters that wait for the disk. */
  get size(): number {
    return this.#backlog.size
  }

  /** `own`: the log speaks of itself. */
  push(json: string, own = false): void {
    this.#backlog.push(json, own)
    if (this.#wakeOnAppend) this.#wake?.()
    this.#start()
  }

  /** Resolves when the record is on disk; its `fdatasync` follows at once, and is shared by those that come meanwhile. Rejects while nothing can be written. */
  settled(json: string, own = false): Promise<void> {
    if (this.#closing || this.#failure !== null)
      return Promise.reject(new Error('The audit log takes no record now.', { cause: this.#failure }))
    this.push(json, own)
    return this.#waiters.wait(this.#backlog.pushed)
  }

  /** A record did not fit: it is counted, and a record will say so. */
  dropped(): void {
    this.#shed += 1
    this.#options.events.dropped(1)
  }

  /** Writes out everything, signs it, then gives up the directory. Throws when records had to be left unwritten; the directory is given up even then. */
  async close(): Promise<void> {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat)
    await this.#compression.close()
    this.#stopping = true
    this.#wake?.()
    await this.#running
    if (this.#shed > 0) this.#seal()
    this.#backlog.push(this.#event('closed', {}), true)
    this.#closing = true
    await this.#run()
    await this.#files.close()
    this.#waiters.abandon(new Error('The audit log was closed before the record was on disk.'))
    if (this.#failure === null) return
    const message = `${this.#backlog.records} audit records could not be written before the stop: ${this.#failure.message}`
    throw new Error(message, { cause: this.#failure })
  }

  #start(): void {
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#run())
  }

  #beat(): void {
    this.#signNext = true
    this.#start()
  }

  async #run(): Promise<void> {
    do {
      try {
        await this.#write()
        if (this.#stopping || this.#failure !== null || this.#waiters.some || this.#sinceSync() >= SYNC) await this.#sync()
        await this.#pause(GATHER)
        if (!this.#backlog.queued && this.#backlog.sealed) await this.#pause(SYNC - this.#sinceSync(), true)
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)))
        if (this.#stopping) break
        await this.#pause(RETRY)
      }
    } while (this.#backlog.queued || this.#backlog.sealed || (this.#shed > 0 && !this.#closing) || this.#failure !== null)
    this.#running = null
  }

  async #write(): Promise<void> {
    if (this.#failure !== null) await this.#files.regainPlace()
    // During an outage nothing is sealed beyond what failed, so that a long one makes no pile of `shed` records.
    if (this.#failure === null || !this.#backlog.sealed) this.#seal()
    for (let batch = this.#backlog.nextUnwritten(); batch !== undefined; batch = this.#backlog.nextUnwritten()) {
      await this.#files.append(batch.bytes, batch.firstSeq, batch.linked)
      this.#backlog.wrote()
      // A batch written again after a failure was reported the first time.
      if (batch.firstSeq > this.#reported) this.#options.events.recorded(batch.records)
      this.#reported = Math.max(this.#reported, batch.firstSeq)
    }
  }

  #seal(): void {
    // Nothing comes behind the line `closed`.
    if (this.#shed > 0 && !this.#closing) {
      this.#backlog.push(this.#event('shed', { count: this.#shed }), true)
      this.#shed = 0
    }
    const begins = this.#files.current === null && !this.#backlog.sealed && this.#backlog.queued
    if (begins) this.#backlog.sealFirst(this.#event('segment', this.#files.segmentFields()))
    this.#backlog.seal()
  }

  async #sync(): Promise<void> {
    await this.#files.sync()
    this.#lastSync = this.#options.clock.monotonic()
    this.#waiters.release(this.#backlog.sealedCount)
    this.#backlog.synced()
    await this.#sign()
    if (this.#failure === null) return
    this.#failure = null
    this.#options.events.restored()
  }

  /** Every sealed line is on disk: signs their root when it is time. The last checkpoint of a segment is named by the next one's first line, others by a line of their own. */
  async #sign(): Promise<void> {
    const last = this.#closing && !this.#backlog.queued
    const ends = last || this.#files.full
    const now = this.#signNext && !this.#stopping
    if (ends || now || this.#checkpoints?.due(this.#chain.head.seq)) {
      const checkpoint = await this.#checkpoints?.write(this.#chain, last)
      this.#signNext = false
      if (checkpoint && !ends) this.#backlog.push(this.#event('checkpoint', checkpoint), true)
    }
    if (ends && !last) await this.#files.end()
  }

  #fail(error: Error): void {
    this.#files.rewind()
    this.#backlog.rewind()
    const first = this.#failure === null
    this.#failure = error
    if (first) this.#options.events.failed(error)
  }

  #sinceSync(): number {
    return this.#options.clock.monotonic() - this.#lastSync
  }

  async #pause(milliseconds: number, untilAppend = false): Promise<void> {
    if (this.#stopping || milliseconds <= 0) return
    this.#wakeOnAppend = untilAppend
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = null
    this.#wakeOnAppend = false
  }

  #event(event: string, fields: Readonly<Record<string, unknown>>): string {
    return JSON.stringify({ time: new Date(this.#options.clock.now()).toISOString(), event, ...fields })
  }
}
