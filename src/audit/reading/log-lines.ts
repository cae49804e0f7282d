import { UnreadableFile } from './regular-file.ts'
import { readLines, type SegmentLine } from './segment-lines.ts'

/** Pieces of a segment that are no lines of a log; a crash leaves one at its end. */
const MOST_OTHERS = 1000
/** Bytes of `{"seq":1,"prev":"..."}`, the hash with its 64. */
const SHORTEST = 83

/** `readLines` for a segment of a log. Throws `UnreadableFile` when most of it is something else: half a megabyte of gzip may hold a thousand million empty lines. */
export async function* logLines(path: string, start = 0): AsyncGenerator<SegmentLine> {
  let others = 0
  for await (const piece of readLines(path, start)) {
    if (!mayBeLine(piece.line)) others += 1
    if (others > MOST_OTHERS) throw new UnreadableFile(path, `more than ${MOST_OTHERS} lines in it are no lines of a log`)
    yield piece
  }
}

/** A look at what costs nothing; whoever wants the line parses it. */
function mayBeLine(line: Buffer): boolean {
  return line.length >= SHORTEST && line[0] === OPEN && line[1] === QUOTE && line.at(-1) === CLOSE
}

const [OPEN, QUOTE, CLOSE] = [0x7b, 0x22, 0x7d]
