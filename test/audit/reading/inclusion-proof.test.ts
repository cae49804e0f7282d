import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { InclusionProver, rootOfProof } from '../../../src/audit/format/inclusion-proof.ts'
import { CompactTree, leafHash } from '../../../src/audit/format/merkle-tree.ts'

/** RFC 6962 section 2.1, word for word, in the test's own code. */
function treeHash(leaves: readonly string[]): Buffer {
  if (leaves.length === 0) return sum()
  if (leaves.length === 1) return sum(Buffer.from([0]), Buffer.from(leaves[0] ?? ''))
  const k = split(leaves.length)
  return sum(Buffer.from([1]), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)))
}

/** RFC 6962 section 2.1.1. */
function path(m: number, leaves: readonly string[]): Buffer[] {
  if (leaves.length === 1) return []
  const k = split(leaves.length)
  if (m < k) return [...path(m, leaves.slice(0, k)), treeHash(leaves.slice(k))]
  return [...path(m - k, leaves.slice(k)), treeHash(leaves.slice(0, k))]
}

function split(n: number): number {
  return 2 ** Math.floor(Math.log2(n - 1))
}

function sum(...parts: Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest()
}

const leaves = Array.from({ length: 70 }, (_, index) => `line ${index}`)
const hex = (hashes: readonly string[]) => hashes.map((hash) => Buffer.from(hash, 'latin1').toString('hex'))

function proofOf(index: number, size: number, from = 0) {
  const prover = new InclusionProver(index, size)
  const before = new CompactTree()
  for (const leaf of leaves.slice(0, from)) before.push(leafHash(leaf))
  if (from > 0) prover.beginBehind(from, before.roots)
  for (const leaf of leaves.slice(from, size)) prover.push(leafHash(leaf))
  return prover.proof()
}

describe('inclusion proofs', () => {
  it('are those of RFC 6962 for every leaf of every tree up to 70 leaves, and lead to its root', () => {
    for (let size = 1; size <= 70; size++) {
      const all = leaves.slice(0, size)
      const root = treeHash(all).toString('latin1')
      for (let index = 0; index < size; index++) {
        const { hashes, root: found } = proofOf(index, size)
        assert.deepEqual(
          hex(hashes),
          path(index, all).map((hash) => hash.toString('hex')),
          `leaf ${index} of ${size}`,
        )
        assert.equal(found, root)
        assert.equal(rootOfProof(leafHash(all[index] ?? ''), index, size, hashes), root)
      }
    }
  })

  it('are the same when the leaves before are known as a tree only', () => {
    for (const size of [1, 2, 3, 7, 8, 13, 31, 64, 70])
      for (let from = 1; from < size; from++)
        for (let index = from; index < size; index++)
          assert.deepEqual(proofOf(index, size, from), proofOf(index, size), `leaf ${index} of ${size}, from ${from}`)
  })

  it('refuse a leaf outside, leaves that are missing, and to begin behind the leaf', () => {
    for (const [index, size] of [
      [0, 0],
      [3, 3],
      [-1, 3],
      [0.5, 3],
    ] as const)
      assert.throws(() => new InclusionProver(index, size), RangeError)
    assert.throws(() => new InclusionProver(0, 2).proof(), /missing/)
    assert.throws(() => new InclusionProver(1, 4).beginBehind(2, [leafHash('a')]), RangeError)
  })

  it('that were altered lead elsewhere or nowhere', () => {
    for (const size of [1, 2, 5, 8, 21]) {
      const root = treeHash(leaves.slice(0, size)).toString('latin1')
      for (let index = 0; index < size; index++) {
        const { hashes } = proofOf(index, size)
        const leaf = leafHash(leaves[index] ?? '')
        const altered = [
          rootOfProof(leafHash('another'), index, size, hashes),
          rootOfProof(leaf, index, size, [...hashes, leaf]),
          ...(size > 1 ? [rootOfProof(leaf, (index + 1) % size, size, hashes)] : []),
          ...hashes.map((_, at) => rootOfProof(leaf, index, size, hashes.toSpliced(at, 1))),
          ...hashes.map((_, at) => rootOfProof(leaf, index, size, hashes.with(at, leafHash('another')))),
        ]
        for (const found of altered) assert.notEqual(found, root, `leaf ${index} of ${size}`)
        for (const outside of [-1, size]) assert.equal(rootOfProof(leaf, outside, size, hashes), null)
      }
    }
  })
})
