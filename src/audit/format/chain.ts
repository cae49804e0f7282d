import { hash } from 'node:crypto'
import { type CompactTree, leafHash } from './merkle-tree.ts'

/** Where a chain of records ends: the number of its last line and the SHA-256 (hex) of that line without its newline. */
export interface ChainHead {
  readonly seq: number
  readonly digest: string
}

/** What the very first line names as the line before it. */
export const GENESIS: ChainHead = { seq: 0, digest: '0'.repeat(64) }

/** SHA-256 (hex) of a line without its newline: what the next line names as `prev`. */
export function lineDigest(line: string | Buffer): string {
  return hash('sha256', line)
}

/** How every line begins. Number and link are found without parsing the rest. */
const LINE_START = /^\{"seq":([1-9][0-9]{0,15}),"prev":"([0-9a-f]{64})",/
/** Bytes that `LINE_START` needs at most. */
const LONGEST_START = 102

/** What a line says of its place; null when it is no line of a log. */
export function linkOf(line: Buffer): { readonly seq: number; readonly prev: string } | null {
  const start = LINE_START.exec(line.toString('latin1', 0, LONGEST_START))
  if (start === null || line.at(-1) !== 0x7d) return null
  return { seq: Number(start[1]), prev: start[2] ?? '' }
}

/**
 * Numbers records, ties each to the bytes of the line before it, and adds it to the tree. The chain shows a line changed, taken out or put
 * in; that its end was cut off shows only against a signed root of the tree.
 */
export class AuditChain {
  readonly tree: CompactTree
  #seq: number
  #digest: string

  /** Throws when the tree is not one over as many lines as the head counts. */
  constructor(head: ChainHead, tree: CompactTree) {
    if (tree.size !== head.seq) throw new Error(`A tree over ${tree.size} lines cannot go on after line ${head.seq}.`)
    this.tree = tree
    this.#seq = head.seq
    this.#digest = head.digest
  }

  get head(): ChainHead {
    return { seq: this.#seq, digest: this.#digest }
  }

  /** One record, given as the JSON text of an object with at least one member, as its line: numbered, chained, newline included. */
  seal(json: string): string {
    const line = `{"seq":${this.#seq + 1},"prev":"${this.#digest}",${json.slice(1)}`
    this.#seq += 1
    this.#digest = lineDigest(line)
    this.tree.push(leafHash(line))
    return `${line}\n`
  }
}
