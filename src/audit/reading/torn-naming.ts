import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Segment } from '../format/segments.ts'
import { parseLogLine, textOf } from './log-line.ts'
import { logLines } from './log-lines.ts'
import { whereNow } from './log-records.ts'
import { regularFile } from './regular-file.ts'
import { bytesOf } from './segment-lines.ts'
import { LONGEST_TORN, namedIn, type TornEnd } from './torn-ends.ts'

/** The end of one segment as the start behind it names it. A power cut may leave a gap there with whole lines behind it: they are no part of the log. */
export class NamedEnd {
  readonly #directory: string
  readonly #segment: Segment
  readonly #all: readonly Segment[]
  /** Bytes before it; null: no start names one, `undefined`: not looked for yet. */
  #start: number | null | undefined

  /** `all`: the segments of the log, in order. */
  constructor(directory: string, segment: Segment, all: readonly Segment[]) {
    this.#directory = directory
    this.#segment = segment
    this.#all = all
  }

  /** What stands there now, when it begins with the byte `start`; null: it does not, or there is none. */
  async at(start: number): Promise<TornEnd | null> {
    if (this.#start === undefined) this.#start = await this.#find()
    if (this.#start !== start) return null
    const digest = createHash('sha256')
    let bytes = 0
    for await (const chunk of bytesOf(join(this.#directory, this.#segment.file), start)) {
      digest.update(chunk as Buffer)
      bytes += (chunk as Buffer).length
    }
    return { file: this.#segment.name, bytes, digest: digest.digest('hex') }
  }

  async #find(): Promise<number | null> {
    const { name, file, compressed } = this.#segment
    const size = regularFile(join(this.#directory, file))?.size ?? 0
    const behind = this.#all.slice(this.#all.findIndex((one) => one.name === name) + 1)
    const named = compressed ? [] : await namedByStart(this.#directory, behind)
    const bytes = named.find((end) => end.file === name)?.bytes ?? 0
    return bytes > 0 && bytes <= Math.min(size, LONGEST_TORN) ? size - bytes : null
  }
}

/** What the first start names that came far enough: one that was killed before leaves nothing, half a line, or its first line. */
async function namedByStart(directory: string, segments: readonly Segment[]): Promise<readonly TornEnd[]> {
  for (const segment of segments) {
    try {
      for await (const { line } of logLines(join(directory, whereNow(directory, segment).file))) {
        const record = parseLogLine(line)?.record
        if (record === undefined) break
        const event = textOf(record, 'event')
        if (event === 'recovered') return namedIn(record)
        if (event !== 'segment' && event !== 'diverged') return []
      }
    } catch {
      return []
    }
  }
  return []
}
