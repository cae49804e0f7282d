import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { parseCheckpoint, vouchedFor, type WrittenCheckpoint } from '../format/checkpoint.ts'
import { InclusionProver, rootOfProof } from '../format/inclusion-proof.ts'
import { leafHash, toBase64 } from '../format/merkle-tree.ts'
import { type LogProof, parseProof } from '../format/proof-text.ts'
import { CHECKPOINTS, listSegments } from '../format/segments.ts'
import { type NoteKey, noteKey } from '../format/signed-note.ts'
import { type LogLine, parseLogLine, textOf } from './log-line.ts'
import { logLines } from './log-lines.ts'
import { whereNow } from './log-records.ts'
import { readNotes } from './note-file.ts'
import { regularFile } from './regular-file.ts'

/** A line cannot be proven, or a proof does not hold. The message is a sentence. */
export class NotProven extends Error {
  override readonly name = 'NotProven'
}

/** A proof that holds, and what it is about. */
export interface ProvenLine {
  readonly proof: LogProof
  readonly record: Readonly<Record<string, unknown>>
  readonly origin: string
  /** Lines that the checkpoint covers. */
  readonly size: number
}

/** Proves that line `seq` is in the log that its newest checkpoint covers: reads all lines once, in bounded memory. Throws `NotProven`. */
export async function proveLine(directory: string, seq: number, keys: readonly KeyObject[]): Promise<ProvenLine> {
  const { checkpoint, note } = await newestCheckpoint(directory, keys)
  if (seq > checkpoint.size)
    throw new NotProven(`no checkpoint covers line ${seq} yet; the newest covers ${checkpoint.size} lines`)
  const prover = new InclusionProver(seq - 1, checkpoint.size)
  const line = await pushLines(directory, prover, seq, checkpoint.size)
  const { hashes, root } = prover.proof()
  if (toBase64(root) !== checkpoint.root)
    throw new NotProven(
      `the first ${checkpoint.size} lines are not those that the checkpoint was signed over; \`audit verify\` says which`,
    )
  const proof = { extra: line.bytes, index: seq - 1, hashes, checkpoint: note }
  return { proof, record: line.record, origin: checkpoint.origin, size: checkpoint.size }
}

/** Checks a proof with nothing but keys. `origin` null: whatever log the keys signed. Throws `NotProven`. */
export function checkProof(text: string, keys: readonly KeyObject[], origin: string | null): ProvenLine {
  const proof = parseProof(text)
  if (proof === null) throw new NotProven('this is no proof in the form of c2sp.org/tlog-proof with the line in it')
  const checkpoint = parseCheckpoint(proof.checkpoint)
  if (checkpoint === null) throw new NotProven('what follows the empty line is no checkpoint')
  if (origin !== null && checkpoint.origin !== origin)
    throw new NotProven(`the proof is about another log, ${JSON.stringify(checkpoint.origin)}`)
  if (!vouchedFor(checkpoint, named(keys))) throw new NotProven('the checkpoint is not signed by any of the given keys')
  const root = rootOfProof(leafHash(proof.extra), proof.index, checkpoint.size, proof.hashes)
  if (root === null) throw new NotProven(`there is no such path to leaf ${proof.index} of ${checkpoint.size}`)
  if (toBase64(root) !== checkpoint.root) throw new NotProven('the line and the hashes do not lead to the root that was signed')
  const line = parseLogLine(proof.extra)
  if (line === null || line.seq !== proof.index + 1)
    throw new NotProven(`what is proven is not line ${proof.index + 1} of an audit log`)
  return { proof, record: line.record, origin: checkpoint.origin, size: checkpoint.size }
}

async function newestCheckpoint(
  directory: string,
  keys: readonly KeyObject[],
): Promise<{ checkpoint: WrittenCheckpoint; note: string }> {
  const path = join(directory, CHECKPOINTS)
  const keysNamed = named(keys)
  let newest: { checkpoint: WrittenCheckpoint; note: string } | null = null
  for await (const { checkpoint, text } of readNotes(path, regularFile(path)?.size ?? 0)) {
    if (checkpoint === null || text === null || (newest !== null && checkpoint.size <= newest.checkpoint.size)) continue
    if (vouchedFor(checkpoint, keysNamed)) newest = { checkpoint, note: text }
  }
  if (newest === null) throw new NotProven('there is no checkpoint that one of the given keys signed')
  return newest
}

/** Gives every line up to `size` to the prover. Gives the line `seq`. */
async function pushLines(
  directory: string,
  prover: InclusionProver,
  seq: number,
  size: number,
): Promise<{ bytes: Buffer; record: LogLine['record'] }> {
  let expected = 0
  let found: { bytes: Buffer; record: LogLine['record'] } | null = null
  for await (const { line, bytes } of wholeLines(directory)) {
    if (expected === 0) expected = begin(prover, line, seq)
    if (line.seq !== expected)
      throw new NotProven(`line ${line.seq} follows line ${expected - 1}; \`audit verify\` says what is wrong`)
    prover.push(leafHash(bytes))
    if (expected === seq) found = { bytes: Buffer.from(bytes), record: line.record }
    if (found !== null && expected === size) return found
    expected += 1
  }
  throw new NotProven(`the log ends before line ${size}, which its newest checkpoint covers`)
}

/** The first line that is there; older ones may have been archived. */
function begin(prover: InclusionProver, { seq: first, record }: LogLine, seq: number): number {
  if (first === 1) return 1
  if (first > seq) throw new NotProven(`the log in the directory begins with line ${first}; line ${seq} was archived`)
  const roots = Array.isArray(record.tree) && textOf(record, 'event') === 'segment' ? record.tree : []
  try {
    prover.beginBehind(
      first - 1,
      roots.map((root) => Buffer.from(String(root), 'base64').toString('latin1')),
    )
    return first
  } catch {
    throw new NotProven(`line ${first}, with which the log in the directory begins, carries no tree over the lines before it`)
  }
}

async function* wholeLines(directory: string): AsyncGenerator<{ line: LogLine; bytes: Buffer }> {
  const { segments } = await listSegments(directory)
  for (const segment of segments) {
    const { file } = whereNow(directory, segment)
    try {
      for await (const { line: bytes, whole } of logLines(join(directory, file))) {
        const line = whole ? parseLogLine(bytes) : null
        if (line !== null) yield { line, bytes }
      }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
      throw new NotProven(`${file} cannot be read to its end${code}; \`audit verify\` says what is wrong`)
    }
  }
}

function named(keys: readonly KeyObject[]): (origin: string) => readonly NoteKey[] {
  return (origin) => keys.map((key) => noteKey(origin, key))
}
