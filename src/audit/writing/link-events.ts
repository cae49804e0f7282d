import { CompactTree } from '../format/merkle-tree.ts'

/** What the writer's own lines say of the log. */
export interface LinkEvent {
  readonly event: 'segment' | 'checkpoint' | 'closed' | 'recovered' | 'diverged'
  readonly log: string | null
  /** Digest of the newest checkpoint. */
  readonly checkpoint: string | null
  readonly tree: readonly string[] | null
  /** Names of the files whose torn ends it names. */
  readonly torn: readonly string[]
}

/** `event` stands before anything that a client had a say in. */
const EVENT = /^\{"seq":\d+,"prev":"[0-9a-f]{64}","time":"[^"]{20,30}","event":"(segment|checkpoint|closed|recovered|diverged)"/

/** null: the line is none of these. */
export function linkEventOf(line: Buffer): LinkEvent | null {
  const event = EVENT.exec(line.toString('latin1', 0, 180))?.[1] as LinkEvent['event'] | undefined
  if (event === undefined) return null
  try {
    const { log, tree, checkpoint, digest, tornFile, alsoTorn } = JSON.parse(line.toString('utf8')) as Record<string, unknown>
    const also = Array.isArray(alsoTorn) ? alsoTorn.map((torn: unknown) => text((torn as { file?: unknown } | null)?.file)) : []
    return {
      event,
      log: text(log),
      checkpoint: event === 'checkpoint' ? text(digest) : text(checkpoint),
      tree: Array.isArray(tree) && tree.every((root) => typeof root === 'string') ? tree : null,
      torn: [text(tornFile), ...also].filter((file) => file !== null),
    }
  } catch {
    return null
  }
}

/** The tree over all lines before this one, as a `segment` line carries it; null when it carries none that fits its number. */
export function restoredTree(event: LinkEvent | null, link: { readonly seq: number } | null): CompactTree | null {
  if (event?.event !== 'segment' || event.tree === null || link === null) return null
  try {
    return CompactTree.restore(
      link.seq - 1,
      event.tree.map((root) => Buffer.from(root, 'base64').toString('latin1')),
    )
  } catch {
    return null
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
