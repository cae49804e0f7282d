/**
 * Remembers at most `limit` values, roughly those used last. Two maps instead of a list: when the young one is full it becomes the old one,
 * and what was in the old one and never asked for is gone. A hit costs one look-up and writes nothing.
 */
export class BoundedCache<Value extends NonNullable<unknown>> {
  readonly #half: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  constructor(limit: number) {
    this.#half = Math.max(1, Math.floor(limit / 2))
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, value: Value): void {
    this.#old.delete(key)
    this.#young.set(detached(key), value)
    if (this.#young.size < this.#half) return
    this.#old = this.#young
    this.#young = new Map()
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
}

/** A copy: a key that is a slice of a longer text would keep all of it in memory, and that text may be a secret. */
function detached(key: string): string {
  return Buffer.from(key).toString()
}
