import { mkdir } from 'node:fs/promises'
import type { ChangeRecord } from '../../domain/change-record.ts'
import type { DecisionRecord } from '../../domain/decision-record.ts'
import type { StreamRecord } from '../../domain/stream-record.ts'
import type { AuditLog } from '../../ports/audit-log.ts'
import { AuditChain } from '../format/chain.ts'
import { AuditBacklog } from './audit-backlog.ts'
import { AuditFile } from './audit-file.ts'
import { type AuditLock, takeAuditLock } from './audit-lock.ts'
import type { AuditOptions } from './audit-options.ts'
import { findLogEnd, type LogEnd } from './audit-recovery.ts'
import { AuditWaiters } from './audit-waiters.ts'
import { LimitedRepeats } from './limited-repeats.ts'

/** Milliseconds that records gather while writing is frequent; the first one after a pause is written at once. */
const GATHER = 5
/** Milliseconds between two `fdatasync`: what a power cut may take. A killed process loses at most one gathering. */
const SYNC = 250
const RETRY = 250
const MAX_PENDING = 32 * 1024 * 1024

/**
 * Opens the log of a directory: takes its lock and continues number and chain from its last whole record. Torn ends that a crash left are
 * named in a first record `recovered`. Throws a sentence when the directory cannot be used.
 */
export async function openAuditWriter(options: AuditOptions): Promise<AuditWriter> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 })
  const lock = takeAuditLock(options.directory)
  try {
    return new AuditWriter(options, lock, await findLogEnd(options.directory))
  } catch (error) {
    lock.release()
    throw error
  }
}

/**
 * Append-only JSON lines, one file for each start. `append` only serialises; numbering, hashing, writing and syncing happen in batches off
 * the request path. A batch that fails is kept and written again, the same bytes in the same order, until it is on disk. Rotation and signed
 * statements of the chain's head belong in `#sync`, the one place where a head is known to be durable.
 */
export class AuditWriter implements AuditLog {
  readonly #options: AuditOptions
  readonly #backlog: AuditBacklog
  readonly #repeats: LimitedRepeats
  readonly #limit: number
  readonly #waiters = new AuditWaiters()
  #lock: AuditLock | null
  #file: AuditFile | null = null
  #failure: Error | null = null
  /** Records dropped since the last `shed` record. */
  #shed = 0
  /** Number of the newest batch that was reported as recorded. */
  #reported = 0
  #lastSync = Number.NEGATIVE_INFINITY
  #running: Promise<void> | null = null
  #wake: (() => void) | null = null
  #wakeOnAppend = false
  #closing = false

  constructor(options: AuditOptions, lock: AuditLock, end: LogEnd) {
    this.#options = options
    this.#lock = lock
    this.#backlog = new AuditBacklog(new AuditChain(end.head))
    this.#limit = options.maxPending ?? MAX_PENDING
    this.#repeats = new LimitedRepeats((record) => this.#take(JSON.stringify(record), this.#roomFor(record.code)), options.clock)
    const [last, ...earlier] = end.torn
    if (last === undefined) return
    const alsoTorn = earlier.length > 0 ? { alsoTorn: earlier } : {}
    this.#enqueue(this.#event('recovered', { tornFile: last.file, tornBytes: last.bytes, ...alsoTorn }))
  }

  available(): boolean {
    if (this.#options.onUnavailable === 'shed') return true
    return this.#failure === null && !this.#closing && this.#backlog.size < this.#limit
  }

  append(record: DecisionRecord): void {
    if (record.decision === 'allow' && !this.#options.success) return
    if (record.code === 'rate-limited' && !this.#options.limits) return
    this.#repeats.append(record)
  }

  appendStreamClosed({ time, ...closed }: StreamRecord): void {
    this.#take(JSON.stringify({ time, event: 'stream-closed', ...closed }), this.#roomFor(closed.code))
  }

  /** Its `fdatasync` follows at once, and is shared by the changes that come meanwhile. */
  appendChange({ time, ...change }: ChangeRecord): Promise<void> {
    const json = JSON.stringify({ time, event: 'change', ...change })
    const full = this.#backlog.size + json.length > 2 * this.#limit
    if (this.#closing || this.#failure !== null || full)
      return Promise.reject(new Error('The audit log takes no record now.', { cause: this.#failure }))
    this.#enqueue(json)
    return this.#waiters.wait(this.#backlog.pushed)
  }

  /** Writes out everything, then gives up the directory. Throws when records had to be left unwritten; the directory is given up even then. */
  async close(): Promise<void> {
    this.#repeats.flush(true)
    this.#closing = true
    this.#wake?.()
    await this.#running
    await this.#run()
    await this.#file?.close()
    this.#lock?.release()
    this.#lock = null
    this.#waiters.abandon(new Error('The audit log was closed before the record was on disk.'))
    if (this.#failure === null) return
    const message = `${this.#backlog.records} audit records could not be written before the stop: ${this.#failure.message}`
    throw new Error(message, { cause: this.#failure })
  }

  /**
   * With `deny`, requests let in before the outage are still to be recorded: they get as much room again. The refusals that the outage
   * itself causes do not, else they would use it up.
   */
  #roomFor(code: string | null): number {
    const reserve = this.#options.onUnavailable === 'deny' && code !== 'audit-unavailable'
    return reserve ? 2 * this.#limit : this.#limit
  }

  #take(json: string, room: number): void {
    if (this.#closing || this.#backlog.size + json.length > room) {
      this.#shed += 1
      this.#options.events.dropped(1)
    } else {
      this.#enqueue(json)
    }
  }

  #enqueue(json: string): void {
    this.#backlog.push(json)
    if (this.#wakeOnAppend) this.#wake?.()
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#run())
  }

  async #run(): Promise<void> {
    while (this.#backlog.queued || this.#backlog.sealed || this.#shed > 0) {
      try {
        await this.#write()
        if (this.#closing || this.#failure !== null || this.#waiters.some || this.#sinceSync() >= SYNC) await this.#sync()
        await this.#pause(GATHER)
        if (!this.#backlog.queued && this.#backlog.sealed) await this.#pause(SYNC - this.#sinceSync(), true)
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)))
        if (this.#closing) break
        await this.#pause(RETRY)
      }
    }
    this.#running = null
  }

  async #write(): Promise<void> {
    if (this.#failure !== null) await this.#regainPlace()
    // During an outage nothing is sealed beyond what failed, so that a long one makes no pile of `shed` records.
    if (this.#failure === null || !this.#backlog.sealed) this.#seal()
    if (!this.#backlog.sealed) return
    this.#file ??= await AuditFile.create(this.#options.directory, this.#backlog.firstSeq())
    for (let batch = this.#backlog.nextUnwritten(); batch !== undefined; batch = this.#backlog.nextUnwritten()) {
      await this.#file.append(batch.bytes)
      this.#backlog.wrote()
      // A batch written again after a failure was reported the first time.
      if (batch.firstSeq > this.#reported) this.#options.events.recorded(batch.records)
      this.#reported = Math.max(this.#reported, batch.firstSeq)
    }
  }

  #seal(): void {
    if (this.#shed > 0) this.#backlog.push(this.#event('shed', { count: this.#shed }))
    this.#shed = 0
    this.#backlog.seal()
  }

  async #sync(): Promise<void> {
    await this.#file?.sync()
    this.#lastSync = this.#options.clock.monotonic()
    this.#waiters.release(this.#backlog.sealedCount)
    this.#backlog.synced()
    if (this.#failure === null) return
    this.#failure = null
    this.#options.events.restored()
  }

  #fail(error: Error): void {
    this.#file?.rewind()
    this.#backlog.rewind()
    const first = this.#failure === null
    this.#failure = error
    if (first) this.#options.events.failed(error)
  }

  /** After a failure: the same file if it is still there, else a new one, in a directory that may have to be locked anew. */
  async #regainPlace(): Promise<void> {
    if (!this.#lock?.inPlace()) {
      this.#lock?.release()
      this.#lock = null
      this.#lock = takeAuditLock(this.#options.directory)
    }
    if (this.#file === null || (await this.#file.inPlace())) return
    const lost = this.#file
    this.#file = null
    await lost.close()
  }

  #sinceSync(): number {
    return this.#options.clock.monotonic() - this.#lastSync
  }

  async #pause(milliseconds: number, untilAppend = false): Promise<void> {
    if (this.#closing || milliseconds <= 0) return
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
