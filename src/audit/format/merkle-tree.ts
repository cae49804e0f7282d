import { hash } from 'node:crypto'

/** Digests are kept as strings of 32 characters (latin1): half the size of hex, and joined without copies of buffers. */
export type Digest = string

const LEAF = Buffer.from([0])

/** RFC 6962 section 2.1: SHA-256 of a zero byte and the line (UTF-8, without its newline). */
export function leafHash(line: string | Buffer): Digest {
  return hash('sha256', typeof line === 'string' ? `\0${line}` : Buffer.concat([LEAF, line]), 'latin1')
}

/** RFC 6962 section 2.1: SHA-256 of a one byte and the two subtrees. */
export function nodeHash(left: Digest, right: Digest): Digest {
  return hash('sha256', Buffer.from(`\x01${left}${right}`, 'latin1'), 'latin1')
}

/** The root of a tree without leaves. */
const EMPTY_ROOT: Digest = hash('sha256', '', 'latin1')

export function toBase64(digest: Digest): string {
  return Buffer.from(digest, 'latin1').toString('base64')
}

/**
 * A Merkle tree that only grows, kept as the roots of its complete subtrees, the largest first (one for each bit that is set in its size). Enough to add
 * leaves and to know the root; what is needed to prove a single leaf is computed from the lines.
 */
export class CompactTree {
  #size = 0
  #roots: Digest[] = []

  /** A tree of `size` leaves from the roots that `roots` gave. Throws when their number does not fit. */
  static restore(size: number, roots: readonly Digest[]): CompactTree {
    if (!Number.isSafeInteger(size) || size < 0 || roots.length !== bitsSet(size) || roots.some((root) => root.length !== 32))
      throw new Error(`${roots.length} subtrees do not make a tree of ${size} leaves.`)
    const tree = new CompactTree()
    tree.#size = size
    tree.#roots = [...roots]
    return tree
  }

  get size(): number {
    return this.#size
  }

  /** Roots of the complete subtrees, the largest first. */
  get roots(): readonly Digest[] {
    return [...this.#roots]
  }

  push(leaf: Digest): void {
    let node = leaf
    // Two subtrees of one size become one, as often as the size's last bits are set: like a carry.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) node = nodeHash(this.#roots.pop() ?? '', node)
    this.#roots.push(node)
    this.#size += 1
  }

  /** RFC 6962 section 2.1. */
  root(): Digest {
    return this.#roots.length === 0 ? EMPTY_ROOT : this.#roots.reduceRight((right, left) => nodeHash(left, right))
  }
}

function bitsSet(size: number): number {
  let bits = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2
  return bits
}
