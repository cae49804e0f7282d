import type { KeyObject } from 'node:crypto'
import { vouchedFor, type WrittenCheckpoint } from '../format/checkpoint.ts'
import { noteKey } from '../format/signed-note.ts'
import type { CheckpointEnd } from './checkpoint-file.ts'
import type { LogState } from './log-state.ts'

/** How a log is other than was signed. */
export interface Divergence {
  readonly reason:
    | 'log-shorter'
    | 'log-other'
    | 'line-altered'
    | 'checkpoint-altered'
    | 'checkpoint-missing'
    | 'checkpoint-unsigned'
    | 'anchor-unreadable'
  /** A sentence for operators. */
  readonly detail: string
}

/** Holds the end of a log against its newest checkpoint and the one that the anchor keeps. `keys`: public keys that may have signed; empty: signatures are not looked at. */
export function divergenceOf(
  state: LogState,
  checkpoints: CheckpointEnd,
  anchored: WrittenCheckpoint | null,
  keys: readonly KeyObject[],
): Divergence | null {
  if (checkpoints.altered) return { reason: 'checkpoint-altered', detail: 'The end of audit.checkpoints was changed.' }
  if (state.broken !== null)
    return {
      reason: 'line-altered',
      detail: `${state.broken} does not follow the line before it: lines were changed or taken out.`,
    }
  const { newest, digests } = checkpoints
  // A crash may leave a checkpoint that no line names yet, and never a line that names one which is not there.
  if (state.namedCheckpoint !== null && !digests.has(state.namedCheckpoint))
    return { reason: 'checkpoint-missing', detail: 'The newest checkpoint that the log names is not in audit.checkpoints.' }
  // The first checkpoint is on disk before the first line is.
  if (keys.length > 0 && newest === null && state.head.seq > 0)
    return {
      reason: 'checkpoint-missing',
      detail: 'The log has lines, and audit.checkpoints not one checkpoint; where audit.key is new, begin a new log.',
    }
  return (
    disagreement(state, newest, 'audit.checkpoints', keys) ??
    disagreement(state, anchored, 'the anchor', keys) ??
    takenOut(newest, anchored)
  )
}

/** The anchor is given a checkpoint only when that is on disk in `audit.checkpoints`. */
function takenOut(newest: WrittenCheckpoint | null, anchored: WrittenCheckpoint | null): Divergence | null {
  if (anchored === null || (newest !== null && newest.size >= anchored.size)) return null
  const detail = `The checkpoint over ${anchored.size} lines that the anchor keeps is not in audit.checkpoints.`
  return { reason: 'checkpoint-missing', detail }
}

function disagreement(
  { head, origin, roots }: LogState,
  checkpoint: WrittenCheckpoint | null,
  place: string,
  keys: readonly KeyObject[],
): Divergence | null {
  if (checkpoint === null) return null
  const { size, root } = checkpoint
  if (keys.length > 0 && !vouchedFor(checkpoint, (name) => keys.map((key) => noteKey(name, key))))
    return {
      reason: 'checkpoint-unsigned',
      detail: `The newest checkpoint in ${place} is not signed by audit.key nor by one of audit.previousKeys.`,
    }
  if (size > head.seq)
    return { reason: 'log-shorter', detail: `The log has ${head.seq} lines, and ${place} says that it had ${size}.` }
  if (roots.get(size) !== root || (origin !== null && checkpoint.origin !== origin))
    return { reason: 'log-other', detail: `The first ${size} lines of the log are not those that ${place} speaks of.` }
  return null
}
