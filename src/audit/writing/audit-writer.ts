import { hash } from 'node:crypto'
import type { ChangeRecord } from '../../domain/change-record.ts'
import type { ConfigurationRecord } from '../../domain/configuration-record.ts'
import type { DecisionRecord } from '../../domain/decision-record.ts'
import type { StreamRecord } from '../../domain/stream-record.ts'
import type { AuditLog } from '../../ports/audit-log.ts'
import { pseudonymousChange, pseudonymousDecision } from '../pseudonymous.ts'
import type { AuditOptions } from './audit-options.ts'
import type { Divergence } from './divergence.ts'
import { LimitedRepeats } from './limited-repeats.ts'
import type { LogWriter } from './log-writer.ts'

const MAX_PENDING = 32 * 1024 * 1024
/** Characters; readers take lines of up to 1 MiB. Only a change can be longer: what it says is then told by its digest. */
const LONGEST_RECORD = 256 * 1024

/** What is recorded, and what happens while it cannot be: `append` serialises and hands over, everything else happens off the request path. */
export class AuditWriter implements AuditLog {
  /** How the log differs from what was signed, found when it was opened; null: it does not. */
  readonly divergence: Divergence | null
  readonly #options: AuditOptions
  readonly #log: LogWriter
  readonly #repeats: LimitedRepeats
  readonly #limit: number

  constructor(options: AuditOptions, log: LogWriter, divergence: Divergence | null) {
    this.divergence = divergence
    this.#options = options
    this.#log = log
    this.#limit = options.maxPending ?? MAX_PENDING
    const { pseudonyms } = options
    const text = (record: DecisionRecord) =>
      JSON.stringify(pseudonyms === null ? record : pseudonymousDecision(record, pseudonyms))
    this.#repeats = new LimitedRepeats((record) => this.#take(text(record), this.#roomFor(record.code)), options.clock)
  }

  available(): boolean {
    if (this.#options.onUnavailable === 'shed') return true
    return this.#log.failure === null && !this.#log.closing && this.#log.size < this.#limit
  }

  append(record: DecisionRecord): void {
    if (record.decision === 'allow' && !this.#options.success) return
    if (record.code === 'rate-limited' && !this.#options.limits) return
    this.#repeats.append(record)
  }

  appendStreamClosed(closed: StreamRecord): void {
    const { time, ...fields } = closed
    this.#take(JSON.stringify({ time, event: 'stream-closed', ...fields }), this.#roomFor(closed.code))
  }

  appendChange(change: ChangeRecord): Promise<void> {
    const { pseudonyms } = this.#options
    const { time, ...fields } = pseudonyms === null ? change : pseudonymousChange(change, pseudonyms)
    let json = JSON.stringify({ time, event: 'change', ...fields })
    if (json.length > LONGEST_RECORD) json = JSON.stringify({ time, event: 'change', ...fields, what: shortened(fields.what) })
    if (this.#log.size + json.length > 2 * this.#limit)
      return Promise.reject(new Error('The audit log takes no record now: it is full.'))
    return this.#log.settled(json)
  }

  /** Resolves when it is on disk. Not counted as a record: it is about the gateway, not about what it did. */
  appendConfiguration({ time, ...fields }: ConfigurationRecord): Promise<void> {
    return this.#log.settled(JSON.stringify({ time, event: 'configuration', ...fields }), true)
  }

  /** Writes out everything, signs it, then gives up the directory. Throws when records had to be left unwritten; the directory is given up even then. */
  close(): Promise<void> {
    this.#repeats.flush(true)
    return this.#log.close()
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
    if (this.#log.closing || this.#log.size + json.length > room) this.#log.dropped()
    else this.#log.push(json)
  }
}

function shortened(what: ChangeRecord['what']): ChangeRecord['what'] {
  const text = JSON.stringify(what)
  return { tooLong: text.length, digest: hash('sha256', text) }
}
