/** What a checkpoint of a log says (c2sp.org/tlog-checkpoint), its signatures not looked at. */
export interface CheckpointHead {
  /** Which log. */
  readonly origin: string
  /** Lines covered. */
  readonly size: number
  /** Base64. */
  readonly root: string
}

const HEAD = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n\n/

/** The first three lines of a checkpoint's note; null when it is none. */
export function checkpointHead(note: string): CheckpointHead | null {
  const [, origin, size, root] = HEAD.exec(note) ?? []
  return origin === undefined || size === undefined || root === undefined ? null : { origin, size: Number(size), root }
}

/**
 * Whether an offered checkpoint says more of a log than the one that is kept; false when it says the same. Throws a sentence when
 * it takes something back: a log only grows. Says nothing about whether the lines of the kept one are still what they were; the
 * tree over them does.
 */
export function goesBeyond(offered: CheckpointHead, kept: CheckpointHead): boolean {
  if (offered.size < kept.size)
    throw new Error(
      `A checkpoint over ${kept.size} lines of ${kept.origin} is kept already; one over ${offered.size} does not replace it.`,
    )
  if (offered.size === kept.size && offered.root !== kept.root)
    throw new Error(`Another checkpoint over the same ${kept.size} lines of ${kept.origin} is kept already.`)
  return offered.size > kept.size
}
