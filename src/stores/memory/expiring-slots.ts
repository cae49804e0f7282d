/** What a slot belongs to: it is found there by its key. */
interface Owner {
  readonly slots: Map<string, number>
  readonly limit: { readonly count: number }
}

const FIRST_CAPACITY = 1024

/**
 * A bounded pool of entries shared by several owners, each entry with the moment from which it may be forgotten. Moments lie in one array of
 * numbers, so that changing one makes no garbage; a hand goes round and frees what has passed, a few entries at a time, without a timer.
 */
export class ExpiringSlots<O extends Owner> {
  readonly #most: number
  #moments = new Float64Array(FIRST_CAPACITY)
  readonly #keys: string[] = []
  readonly #owners: (O | null)[] = []
  readonly #free: number[] = []
  #hand = 0

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#owners.length - this.#free.length
  }

  /** The moment of an entry, in its owner's ticks. */
  fullAt(slot: number): number {
    return this.#moments[slot] ?? 0
  }

  setFullAt(slot: number, moment: number): void {
    this.#moments[slot] = moment
  }

  /** A new entry; undefined when all are taken by the living, as far as looking at `effort` of them shows. */
  open(owner: O, key: string, micros: number, effort: number): number | undefined {
    if (this.size >= this.#most) this.sweep(micros, effort)
    if (this.size >= this.#most) return undefined
    const slot = this.#free.pop() ?? this.#grow()
    this.#owners[slot] = owner
    this.#keys[slot] = key
    this.#moments[slot] = 0
    owner.slots.set(key, slot)
    return slot
  }

  /** Frees the dead among the next `effort` entries. */
  sweep(micros: number, effort: number): void {
    for (let looked = Math.min(effort, this.#owners.length); looked > 0; looked--) {
      this.#hand = this.#hand + 1 < this.#owners.length ? this.#hand + 1 : 0
      const owner = this.#owners[this.#hand]
      if (owner && this.fullAt(this.#hand) <= micros * owner.limit.count) this.#release(owner, this.#hand)
    }
  }

  #release(owner: O, slot: number): void {
    owner.slots.delete(this.#keys[slot] ?? '')
    this.#owners[slot] = null
    this.#keys[slot] = ''
    this.#free.push(slot)
  }

  #grow(): number {
    const slot = this.#owners.length
    this.#owners.push(null)
    this.#keys.push('')
    if (slot < this.#moments.length) return slot
    const larger = new Float64Array(Math.min(this.#most, this.#moments.length * 2))
    larger.set(this.#moments)
    this.#moments = larger
    return slot
  }
}
