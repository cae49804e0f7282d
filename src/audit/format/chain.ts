import { hash } from 'node:crypto'

/** Where a chain of records ends: the number of its last line and the SHA-256 (hex) of that line without its newline. */
export interface ChainHead {
  readonly seq: number
  readonly digest: string
}

/** What the very first line names as the line before it. */
export const GENESIS: ChainHead = { seq: 0, digest: '0'.repeat(64) }

/**
 * Numbers records and ties each to the bytes of the line before it, so that a line changed, taken out or put in shows. A chain by itself
 * does not show that its end was cut off: that takes a signed statement of `head` kept elsewhere.
 */
export class AuditChain {
  #seq: number
  #digest: string

  constructor(head: ChainHead) {
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
    this.#digest = hash('sha256', line)
    return `${line}\n`
  }
}
