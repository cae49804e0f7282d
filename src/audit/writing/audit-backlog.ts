import type { AuditChain } from '../format/chain.ts'

/** Records as the bytes that go to disk. Fixed once: whatever happens to them later, writing them again writes the same. */
export interface AuditBatch {
  readonly bytes: Buffer
  /** Lines, without those in which the log speaks of itself. */
  readonly records: number
  readonly firstSeq: number
  /** It is the first line of a segment. */
  readonly linked: boolean
}

/** What waits: the JSON text of a record, and whether it counts as one or is the log speaking of itself. */
interface Queued {
  readonly json: string
  readonly own: boolean
}

/** A batch is sealed in one go on the event loop, about 2 µs a record: a long queue must not stop requests while it is hashed. */
const MOST_PER_BATCH = 2000

/** What has been taken and is not known to be on disk: a queue of JSON texts, then sealed batches of which the first ones are written. */
export class AuditBacklog {
  readonly #chain: AuditChain
  #queue: Queued[] = []
  #batches: AuditBatch[] = []
  #written = 0
  #size = 0
  #batchedSize = 0
  #pushed = 0
  #sealed = 0

  constructor(chain: AuditChain) {
    this.#chain = chain
  }

  /** Characters of JSON held. */
  get size(): number {
    return this.#size
  }

  /** Records held. */
  get records(): number {
    const queued = this.#queue.filter(({ own }) => !own).length
    return this.#batches.reduce((sum, batch) => sum + batch.records, queued)
  }

  /** Records ever pushed: the place of the newest in that order. */
  get pushed(): number {
    return this.#pushed
  }

  /** How many of those are sealed. */
  get sealedCount(): number {
    return this.#sealed
  }

  get queued(): boolean {
    return this.#queue.length > 0
  }

  get sealed(): boolean {
    return this.#batches.length > 0
  }

  /** `own`: the log speaks of itself. */
  push(json: string, own = false): void {
    this.#queue.push({ json, own })
    this.#size += json.length
    this.#pushed += 1
  }

  /** Numbers and chains the oldest queued records into a batch. */
  seal(): void {
    const taken = this.#queue.length > MOST_PER_BATCH ? this.#queue.splice(0, MOST_PER_BATCH) : this.#queue
    if (taken === this.#queue) this.#queue = []
    if (taken.length === 0) return
    this.#sealed += taken.length
    const firstSeq = this.#chain.head.seq + 1
    for (const { json } of taken) this.#batchedSize += json.length
    const bytes = Buffer.from(taken.map(({ json }) => this.#chain.seal(json)).join(''))
    const records = taken.reduce((sum, { own }) => (own ? sum : sum + 1), 0)
    this.#batches.push({ bytes, records, firstSeq, linked: false })
  }

  /** The first line of a segment, before everything that is queued. Only called when nothing is sealed. Has no place among what was pushed. */
  sealFirst(json: string): void {
    const firstSeq = this.#chain.head.seq + 1
    this.#batches.push({ bytes: Buffer.from(this.#chain.seal(json)), records: 0, firstSeq, linked: true })
  }

  /** Number of the oldest record that is not known to be on disk. */
  firstSeq(): number {
    return this.#batches[0]?.firstSeq ?? this.#chain.head.seq + 1
  }

  nextUnwritten(): AuditBatch | undefined {
    return this.#batches[this.#written]
  }

  wrote(): void {
    this.#written += 1
  }

  /** Everything written is on disk and need not be kept. Only called when every sealed batch is written. */
  synced(): void {
    this.#size -= this.#batchedSize
    this.#batchedSize = 0
    this.#batches = []
    this.#written = 0
  }

  /** What was written may be gone: all sealed batches count as unwritten again. */
  rewind(): void {
    this.#written = 0
  }
}
