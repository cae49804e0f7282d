import { readdir } from 'node:fs/promises'
import { CHECKPOINTS, isSegmentFile, listSegments, type Segment } from '../format/segments.ts'
import { type Findings, inFile, NOWHERE } from './findings.ts'

/** What of a directory is to be verified. */
export interface LogFiles {
  /** In the order in which they were written. */
  readonly segments: readonly Segment[]
  /** Compressed files of segments that are there uncompressed too. */
  readonly doubles: readonly string[]
  /** Whether a segment, by its name, comes before the first of these. */
  isBefore(file: string): boolean
}

/** The files of a log, from the segment that begins with line `from` on. What looks like a part of the log and is none is a finding. */
export async function logFiles(directory: string, from: number | null, findings: Findings): Promise<LogFiles> {
  const { segments, doubles } = await segmentsOf(directory, findings)
  const present = from === null ? segments : segments.filter(({ seq }) => seq >= from)
  const first = present[0]
  if (from !== null && first?.seq !== from)
    findings.add('log-beginning', { ...NOWHERE, seq: from }, `there is no segment that begins with line ${from}`)
  for (const { file } of present) findings.rank(file)
  findings.rank(CHECKPOINTS)
  const names = new Set(present.map(({ name }) => `${name}.gz`))
  return {
    segments: present,
    doubles: doubles.filter((file) => names.has(file)),
    isBefore: (file) => first !== undefined && !names.has(`${file}.gz`) && comesBefore(file, first.name),
  }
}

async function segmentsOf(
  directory: string,
  findings: Findings,
): Promise<{ segments: readonly Segment[]; doubles: readonly string[] }> {
  try {
    const found = await listSegments(directory)
    for (const file of (await readdir(directory)).filter(
      (name) => /^audit-.*\.jsonl(?:\.gz)?$/s.test(name) && !isSegmentFile(name),
    ))
      findings.add('file-unknown', inFile(file), 'the file is named like a segment, and is no part of the log')
    return found
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    findings.add('directory-unreadable', NOWHERE, `the directory cannot be read${code}`)
    return { segments: [], doubles: [] }
  }
}

function comesBefore(file: string, first: string): boolean {
  const [seq, attempt] = placeOf(file)
  const [firstSeq, firstAttempt] = placeOf(first)
  return seq < firstSeq || (seq === firstSeq && attempt < firstAttempt)
}

function placeOf(name: string): readonly [number, number] {
  const [, seq = 'NaN', attempt = '1'] = /^audit-(\d{1,16})(?:_(\d{1,6}))?\.jsonl$/.exec(name) ?? []
  return [Number(seq), Number(attempt)]
}
