import { CHECKPOINTS } from '../format/segments.ts'
import { type Findings, inFile, type Place } from './findings.ts'
import { countOf, type LogLine, textOf } from './log-line.ts'
import type { Origin } from './origin.ts'
import type { TornEnds } from './torn-ends.ts'
import type { TreeCheck } from './tree-check.ts'
import { UnsignedCheck } from './unsigned-check.ts'

/** A `.gz` as a `compressed` line says that it was written. */
interface Compressed {
  readonly bytes: number | null
  readonly digest: string | null
}

interface Parts {
  readonly tree: TreeCheck
  readonly torn: TornEnds
  readonly origin: Origin
  /** All segments, as records call them. */
  readonly segments: ReadonlySet<string>
}

/** Checkpoints that lines name and that are not there: what is written while a log is verified takes fewer, and a forged log must not fill the memory. */
const MOST_MISSED = 10_000
/** Characters. */
const DIGEST = 64

/** A checkpoint that a line names, and that was not there when the line was read. */
export interface Missed {
  readonly digest: string
  readonly size: number | null
  readonly here: Place
}

/** What the writer's own lines say of the log, held against what is there. */
export class EventCheck {
  readonly #findings: Findings
  readonly #tree: TreeCheck
  readonly #torn: TornEnds
  readonly #origin: Origin
  readonly #segments: ReadonlySet<string>
  readonly #unsigned: UnsignedCheck
  /** Lines that were covered when the newest line was read. */
  #covered = 0
  /** Name of a segment that is there to the newest line about its compression. */
  readonly compressed = new Map<string, Compressed>()
  readonly missed: Missed[] = []
  #moreMissed = 0
  /** Records that the log says could not be kept. */
  shed = 0
  /** `event` of the newest line; null: a decision. */
  last: string | null = null
  /** `time` of the first and the newest line. */
  firstTime: string | null = null
  lastTime: string | null = null

  constructor(findings: Findings, { tree, torn, origin, segments }: Parts) {
    this.#findings = findings
    this.#tree = tree
    this.#torn = torn
    this.#origin = origin
    this.#segments = segments
    this.#unsigned = new UnsignedCheck(findings)
  }

  get notes(): readonly string[] {
    return this.#unsigned.notes
  }

  take({ record }: LogLine, here: Place, isBefore: (file: string) => boolean): void {
    const time = textOf(record, 'time')
    this.firstTime ??= time
    this.lastTime = time ?? this.lastTime
    this.last = textOf(record, 'event')
    switch (this.last) {
      case 'segment':
        this.#origin.named(textOf(record, 'log'), here)
        this.#named(textOf(record, 'checkpoint'), null, here)
        if (textOf(record, 'cause') === 'start') this.#started(textOf(record, 'checkpoint'), here)
        break
      case 'checkpoint':
        this.#named(textOf(record, 'digest'), countOf(record, 'size'), here)
        break
      case 'recovered':
        this.#torn.recovered(record, here, isBefore)
        this.#unsigned.recovered(record, here)
        break
      case 'compressed':
        this.#compressedAs(record)
        break
      case 'shed':
        this.shed += countOf(record, 'count') ?? 0
        break
      case 'diverged': {
        const why = [textOf(record, 'reason'), textOf(record, 'detail')].filter((text) => text !== null).join(': ')
        this.#findings.add('log-diverged', here, `at this start the log was shorter or other than its newest checkpoint (${why})`)
      }
    }
    this.#covered = this.#tree.covered
    this.#unsigned.covered(this.#covered)
  }

  /** `digest`: of the checkpoint that was the newest then. Of one that is not there the size is not known; that it is not there is told. */
  #started(digest: string | null, here: Place): void {
    const size = digest === null ? 0 : this.#tree.sizeOf(digest)
    if (size !== null) this.#unsigned.started(here, Math.max(size, this.#covered))
  }

  #compressedAs(record: LogLine['record']): void {
    const name = (textOf(record, 'file') ?? '').replace(/\.gz$/, '')
    const digest = textOf(record, 'digest')
    if (this.#segments.has(name))
      this.compressed.set(name, { bytes: countOf(record, 'bytes'), digest: digest === null ? null : shortened(digest) })
  }

  #named(digest: string | null, size: number | null, here: Place): void {
    if (digest === null) return
    const known = this.#tree.sizeOf(digest)
    if (known !== null && (size === null || known === size)) return
    if (this.missed.length < MOST_MISSED) this.missed.push({ digest: shortened(digest), size, here })
    else this.#moreMissed += 1
  }

  /** Reports what was missed and is not among checkpoints that were written meanwhile. */
  finish(since: ReadonlySet<string>): void {
    for (const { digest, size, here } of this.missed) {
      if (this.#findings.full) return
      if (since.has(digest)) continue
      const which = size === null ? 'the newest checkpoint then' : `the checkpoint over ${size} lines`
      this.#findings.add(
        'checkpoint-missing',
        here,
        `line ${here.seq} names ${which}, and it is not there: taken out or altered (SHA-256 ${digest.slice(0, 16)}\u2026)`,
      )
    }
    if (this.#moreMissed > 0)
      this.#findings.add(
        'checkpoint-missing',
        inFile(CHECKPOINTS),
        `${this.#moreMissed} more lines name checkpoints that are not there`,
      )
  }
}

/** A copy of what is compared with digests: whatever is longer is none, and stays none. */
function shortened(digest: string): string {
  return digest.length <= DIGEST ? digest : Buffer.from(digest.slice(0, DIGEST + 1)).toString()
}
