import { createHash } from 'node:crypto'
import { createReadStream, fstatSync, type ReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { openRegularFile } from './regular-file.ts'

/** One line of a segment, without its newline. */
export interface SegmentLine {
  readonly line: Buffer
  /** Bytes of the (decompressed) segment before it. */
  readonly offset: number
  /** False: the file ends in the middle of it. */
  readonly whole: boolean
}

const NEWLINE = 0x0a
/** A line longer than this is no record of ours; it is given in pieces that are not `whole`. */
const LONGEST_LINE = 1024 * 1024

/**
 * The lines of a segment, `.gz` or not, in order, in bounded memory; only those that begin at `start` or behind it, where a line must begin. Throws when the file
 * cannot be read, is no regular file or no gzip.
 */
export async function* readLines(path: string, start = 0): AsyncGenerator<SegmentLine> {
  const skipped = path.endsWith('.gz') ? 0 : start
  for await (const line of linesOf(bytesOf(path, skipped), skipped)) if (line.offset >= start) yield line
}

/** The lines of any bytes, of which the first has the number `first`. */
async function* linesOf(chunks: AsyncIterable<unknown>, first: number): AsyncGenerator<SegmentLine> {
  let rest: Buffer = Buffer.alloc(0)
  let offset = first
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      yield { line: bytes.subarray(start, end), offset: offset + start, whole: true }
      start = end + 1
    }
    if (bytes.length - start > LONGEST_LINE) {
      yield { line: bytes.subarray(start), offset: offset + start, whole: false }
      start = bytes.length
    }
    rest = bytes.subarray(start)
    offset += start
  }
  if (rest.length > 0) yield { line: rest, offset, whole: false }
}

/** The bytes of a segment as they were written; of one that is not compressed those from `start` on. Throws when there is no regular file. */
export function bytesOf(path: string, start = 0): Readable {
  const file = streamOf(path, start)
  if (!path.endsWith('.gz')) return file
  const gunzip = createGunzip()
  file.on('error', (error) => gunzip.destroy(error))
  gunzip.on('close', () => file.destroy())
  return file.pipe(gunzip)
}

/** Length and SHA-256 (hex) of a file as it is on disk. Throws when it cannot be read. */
export async function fileDigest(path: string): Promise<{ readonly bytes: number; readonly digest: string }> {
  const digest = createHash('sha256')
  let bytes = 0
  for await (const chunk of streamOf(path)) {
    digest.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  return { bytes, digest: digest.digest('hex') }
}

/** Read in pieces of up to 256 KiB; each takes its memory before it is known how much there is. */
function streamOf(path: string, start = 0): ReadStream {
  const fd = openRegularFile(path)
  const highWaterMark = Math.min(256 * 1024, Math.max(16 * 1024, fstatSync(fd).size))
  return createReadStream(path, { fd, highWaterMark, start })
}
