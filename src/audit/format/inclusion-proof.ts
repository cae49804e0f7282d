import { CompactTree, type Digest, nodeHash } from './merkle-tree.ts'

/** A run of leaves, from `start` up to but not `end`. */
interface Range {
  readonly start: number
  readonly end: number
}

/** The subtrees beside the way from the root to a leaf, from the root down (RFC 6962 section 2.1.1). */
function siblings(index: number, size: number): Range[] {
  const found: Range[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start)
    found.push(index < middle ? { start: middle, end } : { start, end: middle })
    if (index < middle) end = middle
    else start = middle
  }
  return found
}

function largestPowerBelow(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

/** Builds the proof of one leaf from all leaves, given in order; keeps nothing but the subtrees that the proof needs. */
export class InclusionProver {
  readonly #index: number
  /** In the order of their leaves. */
  readonly #ranges: readonly Range[]
  readonly #fromRoot: readonly Range[]
  readonly #hashes = new Map<Range, Digest>()
  #current = 0
  #tree = new CompactTree()
  #leaf: Digest | null = null
  #next = 0

  /** Leaf `index`, from 0, of the first `size`. */
  constructor(index: number, size: number) {
    if (!(Number.isSafeInteger(index) && index >= 0 && index < size))
      throw new RangeError(`There is no leaf ${index} among ${size}.`)
    this.#index = index
    this.#fromRoot = siblings(index, size)
    this.#ranges = this.#fromRoot.toSorted((a, b) => a.start - b.start)
  }

  /** Begins behind the first `size` leaves, of which the roots of the complete subtrees are known, the largest first. The leaf must not be one of them. */
  beginBehind(size: number, roots: readonly Digest[]): void {
    if (size > this.#index) throw new RangeError('The leaf is among those that are left out.')
    let start = 0
    let known = CompactTree.restore(size, roots).roots
    while (this.#current < this.#ranges.length && start < size) {
      const range = this.#ranges[this.#current] as Range
      // Every subtree on the left is complete, and aligned: what is known of it is its root, or the roots of its own complete subtrees.
      const inside = Math.min(range.end, size) - range.start
      const count = onesIn(inside)
      this.#tree = CompactTree.restore(inside, known.slice(0, count))
      known = known.slice(count)
      start = range.start + inside
      this.#next = start
      this.#finishRange()
    }
  }

  push(leaf: Digest): void {
    if (this.#next === this.#index) this.#leaf = leaf
    else this.#tree.push(leaf)
    this.#next += 1
    this.#finishRange()
  }

  #finishRange(): void {
    const range = this.#ranges[this.#current]
    if (range === undefined || range.start + this.#tree.size < range.end) return
    this.#hashes.set(range, this.#tree.root())
    this.#tree = new CompactTree()
    this.#current += 1
  }

  /** From the leaf's sibling up; with the root that they give. Throws when leaves are missing. */
  proof(): { readonly hashes: readonly Digest[]; readonly root: Digest } {
    if (this.#leaf === null || this.#hashes.size !== this.#ranges.length) throw new Error('Leaves are missing.')
    const up = this.#fromRoot.toReversed()
    const hashes = up.map((range) => this.#hashes.get(range) ?? '')
    let root = this.#leaf
    for (const [level, range] of up.entries()) {
      const hash = hashes[level] ?? ''
      root = range.start > this.#index ? nodeHash(root, hash) : nodeHash(hash, root)
    }
    return { hashes, root }
  }
}

function onesIn(size: number): number {
  let ones = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}

/** The root that a proof of a leaf leads to (RFC 9162 section 2.1.3.2); null when it does not have the right length, or the leaf is not among `size`. */
export function rootOfProof(leaf: Digest, index: number, size: number, hashes: readonly Digest[]): Digest | null {
  if (index < 0 || index >= size) return null
  const up = siblings(index, size).toReversed()
  if (up.length !== hashes.length) return null
  let root = leaf
  for (const [level, { start }] of up.entries()) {
    const hash = hashes[level] ?? ''
    root = start > index ? nodeHash(root, hash) : nodeHash(hash, root)
  }
  return root
}
