interface Waiter {
  /** Its record's place among all that were taken. */
  readonly place: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Those who wait for a record to be on disk. */
export class AuditWaiters {
  /** In the order of their places. */
  #waiters: Waiter[] = []

  get some(): boolean {
    return this.#waiters.length > 0
  }

  /** Resolves when the record at this place is released; places never go back. */
  wait(place: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ place, resolve, reject }))
  }

  /** Everything up to this place is on disk. */
  release(upTo: number): void {
    while ((this.#waiters[0]?.place ?? Number.POSITIVE_INFINITY) <= upTo) this.#waiters.shift()?.resolve()
  }

  /** Nothing more gets to the disk. */
  abandon(error: Error): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error)
  }
}
