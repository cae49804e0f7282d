import { readdir } from 'node:fs/promises'

/** One file of a log. */
export interface Segment {
  /** Its name while it is not compressed; what records call it. */
  readonly name: string
  /** The file that holds it. */
  readonly file: string
  /** Number of its first line. */
  readonly seq: number
  readonly compressed: boolean
}

/** The signed checkpoints of the log in the same directory. */
export const CHECKPOINTS = 'audit.checkpoints'

const NAME = /^(audit-(\d{12,16})(?:_(\d{1,6}))?\.jsonl)(\.gz)?$/

/** Whether a file is named as a segment is, compressed or not. */
export function isSegmentFile(file: string): boolean {
  return NAME.test(file)
}

/** A segment whose name is taken (after a crash it may hold a torn line) gets the next number behind it. */
export function segmentName(seq: number, attempt: number): string {
  const stem = `audit-${String(seq).padStart(12, '0')}`
  return attempt === 1 ? `${stem}.jsonl` : `${stem}_${attempt}.jsonl`
}

/**
 * The segments of a directory in the order in which they were written. One that is there twice, because a compression was cut short, is given once, not compressed, with
 * its compressed file among `doubles`.
 */
export async function listSegments(directory: string): Promise<{ readonly segments: Segment[]; readonly doubles: string[] }> {
  const found = (await readdir(directory)).flatMap((file) => {
    const [, name = '', seq = '', attempt = '1', compressed] = NAME.exec(file) ?? []
    return name === '' ? [] : [{ name, file, seq: Number(seq), attempt: Number(attempt), compressed: compressed !== undefined }]
  })
  const plain = new Set(found.filter(({ compressed }) => !compressed).map(({ name }) => name))
  const doubles = found.filter(({ name, compressed }) => compressed && plain.has(name)).map(({ file }) => file)
  const segments = found
    .filter(({ file }) => !doubles.includes(file))
    .sort((a, b) => a.seq - b.seq || a.attempt - b.attempt)
    .map(({ name, file, seq, compressed }) => ({ name, file, seq, compressed }))
  return { segments, doubles }
}
