import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { AuditChain } from '../format/chain.ts'
import { parseCheckpoint, type WrittenCheckpoint } from '../format/checkpoint.ts'
import { takeAuditLock } from './audit-lock.ts'
import type { AuditOptions, SigningKeys } from './audit-options.ts'
import { AuditWriter } from './audit-writer.ts'
import { type CheckpointEnd, CheckpointFile, readCheckpointEnd } from './checkpoint-file.ts'
import { Checkpoints } from './checkpoints.ts'
import { type Divergence, divergenceOf } from './divergence.ts'
import { LogFiles } from './log-files.ts'
import { type LogState, readLogState } from './log-state.ts'
import { type FirstRecord, LogWriter } from './log-writer.ts'

const WHAT_TO_DO =
  'See what is wrong with `planegate audit verify`; then put back what was taken away, or move the directory away and keep it: a new log begins.'

/**
 * Opens the log of a directory: takes its lock, holds its end against its newest checkpoint, and goes on behind its last whole record. A crash before is named in a record
 * `recovered`, a log that is shorter or other than was signed in a record `diverged`; with `strict` it is not opened. Throws a sentence when the directory cannot be used.
 */
export async function openAuditWriter(options: AuditOptions): Promise<AuditWriter> {
  const { directory, signing } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const lock = takeAuditLock(directory)
  try {
    const ends = await readCheckpointEnd(directory)
    const found = await stateOf(options, ends.newest)
    const divergence = found.fault ?? divergenceOf(found.state, ends, found.anchored, publicKeys(signing))
    if (divergence !== null && options.strict)
      throw new Error(`The audit log in ${directory} is not what was signed. ${divergence.detail} ${WHAT_TO_DO}`)
    const { state } = found
    const origin = state.origin ?? ends.newest?.origin ?? `${options.origin}/audit/${randomBytes(8).toString('hex')}`
    const chain = new AuditChain(state.head, state.tree)
    const checkpoints =
      signing === null
        ? null
        : new Checkpoints({
            every: options.checkpoint.every,
            file: new CheckpointFile(directory, ends.length),
            origin,
            newest: ends.newest,
            privateKey: signing.privateKey,
            // What it keeps is the evidence: nothing of a log that differs takes its place.
            anchor: divergence === null ? options.anchor : null,
            trouble: options.events.trouble,
          })
    // Before the first line: a log without a checkpoint is then one from which they were taken away.
    if (ends.newest === null && state.head.seq === 0) await checkpoints?.begin(chain)
    const files = new LogFiles({ ...options, lock, chain, origin, lastSegment: state.lastSegment, checkpoints })
    const first = firstRecords(state, ends, signing !== null, divergence)
    return new AuditWriter(options, new LogWriter(options, { chain, files, checkpoints, first }), divergence)
  } catch (error) {
    lock.release()
    throw error
  }
}

interface Found {
  readonly state: LogState
  readonly anchored: WrittenCheckpoint | null
  readonly fault: Divergence | null
}

/** The end of the log, read from far enough back to know its root where the checkpoints stand. The anchor is asked by the name that the log gives itself. */
async function stateOf({ directory, anchor }: AuditOptions, newest: WrittenCheckpoint | null): Promise<Found> {
  const sizes = newest === null ? [] : [newest.size]
  const state = await readLogState(directory, sizes)
  const origin = state.origin ?? newest?.origin ?? null
  if (anchor === null || origin === null) return { state, anchored: null, fault: null }
  try {
    const note = await anchor.latest(origin)
    if (note === null) return { state, anchored: null, fault: null }
    const anchored = parseCheckpoint(note)
    if (anchored === null) throw new Error('It holds something that is no checkpoint.')
    return { state: await readLogState(directory, [...sizes, anchored.size]), anchored, fault: null }
  } catch (error) {
    const detail = `What ${anchor.place} keeps cannot be read: ${error instanceof Error ? error.message : String(error)}`
    return { state, anchored: null, fault: { reason: 'anchor-unreadable', detail } }
  }
}

function publicKeys(signing: SigningKeys | null): KeyObject[] {
  return signing === null ? [] : [createPublicKey(signing.privateKey), ...signing.previous]
}

/** What the first records of this start say. */
function firstRecords(state: LogState, ends: CheckpointEnd, signed: boolean, divergence: Divergence | null): FirstRecord[] {
  const records: FirstRecord[] = []
  if (divergence !== null) records.push({ event: 'diverged', fields: { ...divergence } })
  const [last, ...earlier] = state.torn.toReversed()
  const covered = ends.newest?.size ?? 0
  const unsigned = signed && covered < state.head.seq ? { from: covered + 1, to: state.head.seq } : null
  const interrupted = !state.closed && state.head.seq > 0
  if (!interrupted && last === undefined && ends.torn === null && unsigned === null) return records
  const fields = {
    tornFile: last?.file ?? null,
    tornBytes: last?.bytes ?? 0,
    tornDigest: last?.digest ?? null,
    ...(earlier.length > 0 && { alsoTorn: earlier }),
    ...(ends.torn !== null && { tornCheckpoint: ends.torn }),
    ...(unsigned !== null && { unsigned }),
  }
  return [...records, { event: 'recovered', fields }]
}
