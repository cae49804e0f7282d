import { join } from 'node:path'
import { listSegments, type Segment } from '../format/segments.ts'
import { type LogLine, parseLogLine, textOf } from './log-line.ts'
import { logLines } from './log-lines.ts'
import type { RecordMatcher } from './record-filter.ts'
import { regularFile } from './regular-file.ts'

/** Up to where a log was read. */
export interface ReadUpTo {
  /** A segment, as records call it. */
  readonly name: string
  /** Bytes of it up to the end of its last whole line. */
  readonly offset: number
}

export interface ReadOptions {
  /** Milliseconds since the epoch: older segments need not be read. */
  readonly since: number | null
  /** Told of a segment that cannot be read to its end; what is readable is given all the same. */
  readonly unreadable: (file: string) => void
}

/** A segment where it is now: it may have been compressed since the directory was read. */
export function whereNow(directory: string, segment: Segment): Segment {
  const file = `${segment.name}.gz`
  const gone = regularFile(join(directory, segment.file)) === null && regularFile(join(directory, file)) !== null
  return gone ? { ...segment, file, compressed: true } : segment
}

/** The wanted records of one segment, from a byte on; `end`: told after each whole line. Damaged lines are passed over. */
export async function* segmentRecords(
  directory: string,
  segment: Segment,
  matcher: RecordMatcher,
  start = 0,
  end: (offset: number) => void = () => {},
): AsyncGenerator<LogLine> {
  const { file } = whereNow(directory, segment)
  for await (const { line, offset, whole } of logLines(join(directory, file), start)) {
    if (!whole) continue
    const found = matcher.mayBe(line) ? parseLogLine(line) : null
    if (found !== null && matcher.matches(found.record)) yield found
    end(offset + line.length + 1)
  }
}

/** All wanted records, oldest first. */
export async function* allRecords(
  directory: string,
  matcher: RecordMatcher,
  { since, unreadable }: ReadOptions,
): AsyncGenerator<LogLine> {
  const { segments } = await listSegments(directory)
  let first = 0
  for (let index = segments.length - 1; index > 0 && since !== null && first === 0; index--)
    if (await beganBefore(directory, segments[index] as Segment, since)) first = index
  for (const segment of segments.slice(first)) {
    try {
      yield* segmentRecords(directory, segment, matcher)
    } catch {
      unreadable(segment.file)
    }
  }
}

/** The newest wanted records, oldest first, and up to where the log was read; null: there is no segment. */
export async function newestRecords(
  directory: string,
  matcher: RecordMatcher,
  most: number,
  { since, unreadable }: ReadOptions,
): Promise<{ readonly records: readonly LogLine[]; readonly end: ReadUpTo | null }> {
  const { segments } = await listSegments(directory)
  let records: LogLine[] = []
  let end: ReadUpTo | null = null
  for (const segment of segments.toReversed()) {
    let offset = 0
    const newest: LogLine[] = []
    try {
      for await (const found of segmentRecords(directory, segment, matcher, 0, (at) => {
        offset = at
      })) {
        newest.push(found)
        // Cut now and then, not each time.
        if (newest.length > 2 * most + 100) newest.splice(0, newest.length - most)
      }
    } catch {
      unreadable(segment.file)
    }
    end ??= { name: segment.name, offset }
    records = [...newest, ...records]
    if (records.length >= most || (since !== null && (await beganBefore(directory, segment, since)))) break
  }
  return { records: most === 0 ? [] : records.slice(-most), end }
}

/** Whether the first line of a segment was written before a moment: then all older segments were. False when it cannot be told. */
async function beganBefore(directory: string, segment: Segment, moment: number): Promise<boolean> {
  try {
    for await (const { line } of logLines(join(directory, whereNow(directory, segment).file))) {
      const record = parseLogLine(line)?.record
      return record !== undefined && textOf(record, 'event') === 'segment' && Date.parse(textOf(record, 'time') ?? '') < moment
    }
  } catch {}
  return false
}
