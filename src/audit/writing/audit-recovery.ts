import { hash } from 'node:crypto'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ChainHead, GENESIS } from '../format/chain.ts'

/** Bytes at the end of a file that are no whole record: what a crash cut short. */
interface TornEnd {
  readonly file: string
  readonly bytes: number
}

/** Where the log in a directory goes on. */
export interface LogEnd {
  readonly head: ChainHead
  /** Newest first; empty after an orderly stop. */
  readonly torn: readonly TornEnd[]
}

const NAME = /^audit-(\d{12,})(?:_(\d+))?\.jsonl$/
const FIRST_READ = 64 * 1024
const LONGEST_READ = 64 * 1024 * 1024
const NEWLINE = 0x0a

/** Names of the log files of a directory in the order they were written. */
export async function auditFiles(directory: string): Promise<string[]> {
  const found = (await readdir(directory)).flatMap((file) => {
    const match = NAME.exec(file)
    return match ? [{ file, seq: Number(match[1]), attempt: Number(match[2] ?? 1) }] : []
  })
  return found.sort((a, b) => a.seq - b.seq || a.attempt - b.attempt).map(({ file }) => file)
}

/**
 * Finds the last whole record, from the newest file back. Changes nothing: torn ends stay where they are, as evidence. Reads only the ends
 * of files, so it says nothing about the lines before them.
 */
export async function findLogEnd(directory: string): Promise<LogEnd> {
  const files = await auditFiles(directory)
  const torn: TornEnd[] = []
  for (const file of files.toReversed()) {
    const end = await readEnd(join(directory, file))
    if (end.tornBytes > 0 || end.head === null) torn.push({ file, bytes: end.tornBytes })
    if (end.head !== null) return { head: end.head, torn }
  }
  const first = NAME.exec(files[0] ?? '')?.[1]
  return { head: first === undefined ? GENESIS : { seq: Number(first) - 1, digest: GENESIS.digest }, torn }
}

interface FileEnd {
  readonly head: ChainHead | null
  readonly tornBytes: number
}

async function readEnd(path: string): Promise<FileEnd> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    for (let length = FIRST_READ; length <= LONGEST_READ; length *= 2) {
      const start = Math.max(0, size - length)
      const { buffer } = await handle.read({ buffer: Buffer.alloc(size - start), position: start })
      const last = lastRecord(buffer, start === 0)
      if (last !== null) return { head: last.head, tornBytes: size - start - last.end }
      if (start === 0) return { head: null, tornBytes: size }
    }
    throw new Error(
      `${path} has no readable record in its last ${LONGEST_READ} bytes; move it out of the audit directory and keep it.`,
    )
  } finally {
    await handle.close()
  }
}

/** A line that ends but does not parse counts as torn: after a power cut whole blocks may hold zeros. */
function lastRecord(buffer: Buffer, fromFileStart: boolean): { head: ChainHead; end: number } | null {
  for (let end = buffer.lastIndexOf(NEWLINE); end >= 0; ) {
    const before = end === 0 ? -1 : buffer.lastIndexOf(NEWLINE, end - 1)
    if (before === -1 && !fromFileStart) return null
    const line = buffer.subarray(before + 1, end)
    const seq = sequenceOf(line)
    if (seq !== null) return { head: { seq, digest: hash('sha256', line) }, end: end + 1 }
    end = before
  }
  return null
}

function sequenceOf(line: Buffer): number | null {
  try {
    const record: unknown = JSON.parse(line.toString('utf8'))
    if (typeof record !== 'object' || record === null || !('seq' in record) || !('prev' in record)) return null
    return typeof record.seq === 'number' && Number.isSafeInteger(record.seq) ? record.seq : null
  } catch {
    return null
  }
}
