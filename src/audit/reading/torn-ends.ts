import { createHash, type Hash } from 'node:crypto'
import { type Findings, inFile, type Place } from './findings.ts'
import { countOf, textOf } from './log-line.ts'
import type { SegmentLine } from './segment-lines.ts'

/** Bytes at the end of a segment that are no whole line. */
export interface TornEnd {
  /** The segment, as records call it. */
  readonly file: string
  readonly bytes: number
  /** SHA-256 (hex). */
  readonly digest: string
}

/** More than the writer ever has on its way to the disk: no crash leaves so much. */
export const LONGEST_TORN = 64 * 1024 * 1024
const NEWLINE = Buffer.from('\n')

/** What cannot be read as lines, as long as no line follows it in its segment. */
export class Unreadable {
  readonly place: Place
  readonly #hash: Hash = createHash('sha256')
  #bytes = 0

  constructor(place: Place) {
    this.place = place
  }

  add({ line, whole }: SegmentLine): void {
    this.#hash.update(line)
    if (whole) this.#hash.update(NEWLINE)
    this.#bytes += line.length + (whole ? 1 : 0)
  }

  get tooLong(): boolean {
    return this.#bytes > LONGEST_TORN
  }

  /** Call it once. */
  end(file: string): TornEnd {
    return { file, bytes: this.#bytes, digest: this.#hash.digest('hex') }
  }
}

/** That every torn end is named by a `recovered` line behind it, and that each which is named is there. */
export class TornEnds {
  readonly #findings: Findings
  /** All segments, as records call them. */
  readonly #segments: ReadonlySet<string>
  readonly #found = new Map<string, { readonly end: TornEnd; readonly place: Place; named: boolean }>()

  constructor(findings: Findings, segments: ReadonlySet<string>) {
    this.#findings = findings
    this.#segments = segments
  }

  found(end: TornEnd, place: Place): void {
    this.#found.set(end.file, { end, place, named: false })
  }

  /** A `recovered` line. `before`: the log is read from a later segment on than the first. */
  recovered(record: Readonly<Record<string, unknown>>, here: Place, isBefore: (file: string) => boolean): void {
    for (const named of namedIn(record)) if (!isBefore(named.file)) this.#name(named, here)
  }

  #name(named: TornEnd, here: Place): void {
    const found = this.#found.get(named.file)
    if (found !== undefined) {
      found.named = true
      if (found.end.bytes === named.bytes && found.end.digest === named.digest) return
      const [is, was] = [found.end.bytes, named.bytes]
      const message = `the end of the file that a crash tore was altered: ${is} bytes now, ${was} when line ${here.seq} named it${is === was ? ', and others' : ''}`
      this.#findings.add('torn-altered', found.place, message)
    } else if (named.bytes > 0 || !this.#segments.has(named.file)) {
      const message = `line ${here.seq} names ${named.bytes} torn bytes at the end of ${JSON.stringify(named.file)}, and they are not there`
      this.#findings.add('torn-missing', here, message)
    }
  }

  get named(): TornEnd[] {
    return [...this.#found.values()].filter(({ named }) => named).map(({ end }) => end)
  }

  /** No line follows. What was torn since the newest of `files` with a line in it is allowed while the log is open. Gives what was allowed. */
  finish(allowed: ReadonlySet<string>): TornEnd[] {
    const left = [...this.#found.values()].filter(({ named }) => !named)
    for (const { end, place } of left.filter(({ end }) => !allowed.has(end.file))) {
      if (end.bytes === 0)
        this.#findings.add('segment-empty', inFile(end.file), 'the segment is empty, and no line says that a crash left it so')
      else
        this.#findings.add(
          'torn-unnamed',
          place,
          `${end.bytes} bytes at the end of the segment are no whole line, and no later line names them: they were altered or cut off`,
        )
    }
    return left.filter(({ end }) => allowed.has(end.file)).map(({ end }) => end)
  }
}

/** What a `recovered` line names, the newest first. */
export function namedIn(record: Readonly<Record<string, unknown>>): TornEnd[] {
  const also: readonly unknown[] = Array.isArray(record.alsoTorn) ? record.alsoTorn : []
  const others = also.flatMap((torn) => (typeof torn === 'object' && torn !== null ? [torn as Record<string, unknown>] : []))
  const first = { file: textOf(record, 'tornFile'), bytes: countOf(record, 'tornBytes'), digest: textOf(record, 'tornDigest') }
  const rest = others.map((torn) => ({
    file: textOf(torn, 'file'),
    bytes: countOf(torn, 'bytes'),
    digest: textOf(torn, 'digest'),
  }))
  return [first, ...rest].flatMap(({ file, bytes, digest }) =>
    file === null ? [] : [{ file, bytes: bytes ?? 0, digest: digest ?? '' }],
  )
}
