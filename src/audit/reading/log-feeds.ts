import { join } from 'node:path'
import { CHECKPOINTS } from '../format/segments.ts'
import { type NoteKey, noteKey } from '../format/signed-note.ts'
import { CheckpointFeed } from './checkpoint-feed.ts'
import type { Findings } from './findings.ts'
import { Origin } from './origin.ts'
import { regularFile } from './regular-file.ts'
import type { VerifyOptions } from './verification.ts'

export interface Feeds {
  readonly checkpoints: CheckpointFeed
  readonly all: readonly CheckpointFeed[]
  readonly origin: Origin
}

/** The checkpoints of a log and those kept elsewhere, as long as their files are now. */
export function feedsOf({ directory, keys, anchor, open }: VerifyOptions, findings: Findings): Feeds {
  const origin = new Origin(findings)
  const named = new Map<string, readonly NoteKey[]>()
  const keysNamed = (name: string) => {
    const known = named.get(name) ?? keys.map((key) => noteKey(name, key))
    if (named.size < MOST_ORIGINS) named.set(name, known)
    return known
  }
  const feed = (kind: 'checkpoint' | 'anchor', path: string, name: string) => {
    const length = regularFile(path)?.size ?? 0
    return new CheckpointFeed({ kind, path, name, length }, { keysNamed, open, origin }, findings)
  }
  const checkpoints = feed('checkpoint', join(directory, CHECKPOINTS), CHECKPOINTS)
  return { checkpoints, all: anchor === null ? [checkpoints] : [checkpoints, feed('anchor', anchor, anchor)], origin }
}

/** Origins whose keys are kept: an honest log has one, and a forged file must not fill the memory. */
const MOST_ORIGINS = 16
