import { GENESIS, lineDigest } from '../format/chain.ts'
import type { Findings, Place } from './findings.ts'
import type { LogLine } from './log-line.ts'

/** Something is wrong with one of two lines; the next line tells with which. */
type Doubt =
  | { readonly of: 'link'; readonly before: Place; readonly here: Place }
  | { readonly of: 'number'; readonly belongs: number; readonly here: Place }

/** That each line carries the number behind that of the line before it, and its digest. Goes on after what does not hold, so that one cause gives one finding. */
export class ChainCheck {
  readonly #findings: Findings
  #seq = GENESIS.seq
  #digest = GENESIS.digest
  /** Of the newest line; null before the first. */
  #place: Place | null = null
  /** The line before is known not to be the one that was written: nothing about this one's link can be told. */
  #excused = false
  #doubt: Doubt | null = null

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** Number of the newest line. */
  get seq(): number {
    return this.#seq
  }

  /** Begins at a line in the middle, whose link is taken as it is. */
  beginAt({ seq, prev }: LogLine): void {
    this.#seq = seq - 1
    this.#digest = prev
  }

  /** What stands between the newest line and the next one was reported. */
  excuse(): void {
    this.#excused = true
    this.#settle(null)
  }

  /** Takes the next line. False: it is left out, because lines up to its number were there already. */
  take(next: LogLine, bytes: Buffer, here: Place): boolean {
    this.#settle(next)
    if (next.seq <= this.#seq) {
      this.#findings.add(
        'line-misplaced',
        here,
        `here stands a line ${next.seq}, where line ${this.#seq + 1} belongs; that number was there before`,
      )
      return false
    }
    const digest = lineDigest(bytes)
    if (!this.#excused) this.#compare(next, here)
    this.#excused = false
    this.#seq = next.seq
    this.#digest = digest
    this.#place = here
    return true
  }

  /** No line follows. */
  finish(): void {
    this.#settle(null)
  }

  /** Whether everything up to the newest line holds, as far as it can be told without the next one. */
  get sound(): boolean {
    return this.#doubt === null
  }

  #compare({ seq, prev }: LogLine, here: Place): void {
    const belongs = this.#seq + 1
    if (seq !== belongs) this.#doubt = { of: 'number', belongs, here }
    else if (prev === this.#digest) return
    else if (this.#place === null)
      this.#findings.add('line-altered', here, `line ${seq} was altered: nothing comes before it, and it says otherwise`)
    else this.#doubt = { of: 'link', before: this.#place, here }
  }

  #settle(next: LogLine | null): void {
    const doubt = this.#doubt
    this.#doubt = null
    if (doubt?.of === 'number') this.#settleNumber(doubt, next)
    if (doubt?.of === 'link') this.#settleLink(doubt, next)
  }

  #settleNumber({ belongs, here }: Extract<Doubt, { of: 'number' }>, next: LogLine | null): void {
    if (next?.seq === belongs + 1) {
      this.#findings.add(
        'line-altered',
        { ...here, seq: belongs },
        `line ${belongs} was altered: it says that it is line ${this.#seq}`,
      )
      this.#seq = belongs
      this.#excused = true
      return
    }
    const missing = this.#seq - belongs === 1 ? `line ${belongs} is missing` : `lines ${belongs} to ${this.#seq - 1} are missing`
    this.#findings.add('line-missing', { ...here, seq: belongs }, `${missing}: here follows line ${this.#seq}`)
  }

  #settleLink({ before, here }: Extract<Doubt, { of: 'link' }>, next: LogLine | null): void {
    if (next === null) {
      const message = `line ${before.seq} or line ${here.seq} was altered: the second names another line than the first as the one before it`
      this.#findings.add('line-altered', before, message)
    } else if (next.seq === this.#seq + 1 && next.prev === this.#digest) {
      this.#findings.add(
        'line-altered',
        before,
        `line ${before.seq} was altered: the line after it names another one as the line before`,
      )
    } else {
      this.#findings.add(
        'line-altered',
        here,
        `line ${here.seq} was altered: it fits neither the line before nor the line after it`,
      )
      this.#excused = true
    }
  }
}
