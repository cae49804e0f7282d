import type { Findings, Place } from './findings.ts'
import { countOf, type LogLine, textOf } from './log-line.ts'
import type { Origin } from './origin.ts'
import type { TornEnds } from './torn-ends.ts'
import type { TreeCheck } from './tree-check.ts'

/** A `.gz` as a `compressed` line says that it was written. */
interface Compressed {
  readonly bytes: number | null
  readonly digest: string | null
}

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
  /** Name of a segment to the newest line about its compression. */
  readonly compressed = new Map<string, Compressed>()
  readonly missed: Missed[] = []
  /** Records that the log says could not be kept. */
  shed = 0
  /** `event` of the newest line; null: a decision. */
  last: string | null = null
  /** `time` of the first and the newest line. */
  firstTime: string | null = null
  lastTime: string | null = null

  constructor(findings: Findings, parts: { readonly tree: TreeCheck; readonly torn: TornEnds; readonly origin: Origin }) {
    this.#findings = findings
    this.#tree = parts.tree
    this.#torn = parts.torn
    this.#origin = parts.origin
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
        break
      case 'checkpoint':
        this.#named(textOf(record, 'digest'), countOf(record, 'size'), here)
        break
      case 'recovered':
        this.#torn.recovered(record, here, isBefore)
        break
      case 'compressed':
        this.compressed.set((textOf(record, 'file') ?? '').replace(/\.gz$/, ''), {
          bytes: countOf(record, 'bytes'),
          digest: textOf(record, 'digest'),
        })
        break
      case 'shed':
        this.shed += countOf(record, 'count') ?? 0
        break
      case 'diverged': {
        const why = [textOf(record, 'reason'), textOf(record, 'detail')].filter((text) => text !== null).join(': ')
        this.#findings.add('log-diverged', here, `at this start the log was shorter or other than its newest checkpoint (${why})`)
      }
    }
  }

  #named(digest: string | null, size: number | null, here: Place): void {
    if (digest === null) return
    const known = this.#tree.sizeOf(digest)
    if (known === null || (size !== null && known !== size)) this.missed.push({ digest, size, here })
  }

  /** Reports what was missed and is not among checkpoints that were written meanwhile. */
  finish(since: ReadonlySet<string>): void {
    for (const { digest, size, here } of this.missed.slice(0, 20)) {
      if (since.has(digest)) continue
      const which = size === null ? 'the newest checkpoint then' : `the checkpoint over ${size} lines`
      this.#findings.add(
        'checkpoint-missing',
        here,
        `line ${here.seq} names ${which}, and it is not there: taken out or altered (SHA-256 ${digest.slice(0, 16)}\u2026)`,
      )
    }
  }
}
