import { CompactTree, type Digest, toBase64 } from '../format/merkle-tree.ts'
import type { CheckpointFeed, SignedCheckpoint } from './checkpoint-feed.ts'
import type { Findings, Place } from './findings.ts'

/** Digests of checkpoints that a later line may still name. Far more than a writer has between a checkpoint and its line. */
const REMEMBERED = 100_000

/** That the lines give the roots which the checkpoints sign. */
export class TreeCheck {
  readonly #findings: Findings
  readonly #feeds: readonly CheckpointFeed[]
  #tree = new CompactTree()
  /** False: what was read is not what was written, and its roots say nothing. */
  #intact = true
  /** Lines that are covered by what was compared and agrees. */
  readonly #covered = { checkpoint: 0, anchor: 0 }
  #anchorsAgree = true
  /** Digest of a checkpoint (hex) to its size; oldest first. */
  readonly #known = new Map<string, number>()

  constructor(findings: Findings, feeds: readonly CheckpointFeed[]) {
    this.#findings = findings
    this.#feeds = feeds
  }

  /** Number of lines that a checkpoint of the log covers. */
  get covered(): number {
    return this.#covered.checkpoint
  }

  get intact(): boolean {
    return this.#intact
  }

  /** Roots of the complete subtrees (base64). */
  get roots(): readonly string[] {
    return this.#tree.roots.map(toBase64)
  }

  /** From here on nothing is compared, until `restore`. */
  spoil(): void {
    this.#intact = false
  }

  /** Goes on with the tree that a `segment` line carries. False: it carries none over `size` lines. */
  restore(size: number, roots: readonly string[]): boolean {
    try {
      this.#tree = CompactTree.restore(
        size,
        roots.map((root) => Buffer.from(root, 'base64').toString('latin1')),
      )
      this.#intact = true
    } catch {
      this.#intact = false
    }
    return this.#intact
  }

  push(leaf: Digest): void {
    if (this.#intact) this.#tree.push(leaf)
  }

  /** Whether a checkpoint covers the line `seq` and nothing behind it, or less. */
  due(seq: number): boolean {
    return this.#feeds.some(({ next }) => next !== null && next.checkpoint.size <= seq)
  }

  /** Compares the checkpoints that cover no more than `seq` lines. `here`: that line. */
  async compare(seq: number, here: Place): Promise<void> {
    for (const feed of this.#feeds) {
      for (let next = feed.next; next !== null && next.checkpoint.size <= seq; next = feed.next) {
        this.#compareOne(feed.kind, next, here)
        await feed.advance()
      }
    }
  }

  /** Size of the checkpoint with the digest; null: there was none, among the newest 100,000. */
  sizeOf(digest: string): number | null {
    return this.#known.get(digest) ?? null
  }

  #compareOne(kind: 'checkpoint' | 'anchor', { checkpoint, place }: SignedCheckpoint, here: Place): void {
    if (kind === 'checkpoint') this.#remember(checkpoint.digest, checkpoint.size)
    // A smaller one belongs to what was archived, or to what did not hold.
    if (!this.#intact || checkpoint.size !== this.#tree.size || (kind === 'anchor' && !this.#anchorsAgree)) return
    if (toBase64(this.#tree.root()) === checkpoint.root) {
      this.#covered[kind] = checkpoint.size
      return
    }
    const first = this.#covered[kind] + 1
    const range = checkpoint.size === first ? `line ${first} was` : `of the lines ${first} to ${checkpoint.size} at least one was`
    const message = `${range} altered: the ${kind} at line ${place.line} of ${place.file} was signed over others`
    this.#findings.add(`${kind}-mismatch`, here.seq === null ? place : here, message)
    if (kind === 'anchor') this.#anchorsAgree = false
    else this.#intact = false
  }

  #remember(digest: string, size: number): void {
    this.#known.set(digest, size)
    if (this.#known.size <= REMEMBERED) return
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      break
    }
  }
}
