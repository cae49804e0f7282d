/** Something that must make progress. */
export interface Watched {
  /** Called every period. `now` is on the watch's own clock, milliseconds; it lags behind the truth by one period at most. */
  inspect(now: number, period: number): void
}

/**
 * One coarse timer for all calls in flight, instead of one timer each that every chunk would have to push back. A call notes the watch's `now`
 * when it makes progress, which costs a property read.
 */
export class StallWatch {
  now = performance.now()
  readonly #watched = new Set<Watched>()
  readonly #timer: NodeJS.Timeout
  readonly #period: number

  /** `period`: milliseconds between two looks, and how much later than its limit a stall may be noticed. */
  constructor(period: number) {
    this.#period = period
    this.#timer = setInterval(() => this.#look(), period)
    this.#timer.unref()
  }

  add(watched: Watched): void {
    this.#watched.add(watched)
  }

  delete(watched: Watched): void {
    this.#watched.delete(watched)
  }

  get size(): number {
    return this.#watched.size
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    this.now = performance.now()
    for (const watched of this.#watched) watched.inspect(this.now, this.#period)
  }
}
