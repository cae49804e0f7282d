import type { Clock } from '../../ports/clock.ts'
import { storeFailure } from './store-failure.ts'

const POLL_MS = 100
/** An answer from memory older than this is not given: the promise is that a change is seen within 250 ms. */
const TRUST_MS = 250

/** Told after every time that changes were asked for with success. Must not throw. `askedAt` is monotonic, in milliseconds. */
export type ChangeListener = (generation: number, askedAt: number) => void

/** Knows whether what was read earlier still holds. */
export interface ChangeWatch {
  /** A number that is another one after every change. Throws `store-unavailable` when changes could have been missed for 250 ms. */
  generation(): number
  /** Told of a change made here, which takes effect at once. */
  changed(): void
  /** Asks now. Throws `store-unavailable` when there is no answer. */
  confirm(): void
  listen(listener: ChangeListener): void
  /** Ends the asking; nothing read earlier is trusted from here on unless `probe` still answers. */
  stop(): void
}

/**
 * Asks `probe` every 100 ms for a value that differs after every change made elsewhere. When the timer was late (a busy event loop), the
 * next reader asks by itself, so that lateness never counts as "nothing changed".
 */
export function watchChanges(probe: () => number, clock: Clock): ChangeWatch {
  const listeners: ChangeListener[] = []
  let generation = 0
  let seen = Number.NaN
  let confirmedAt = Number.NEGATIVE_INFINITY
  let failure: unknown
  let failed = false

  function poll(): void {
    const asked = clock.monotonic()
    try {
      const now = probe()
      if (now !== seen) generation += 1
      seen = now
      confirmedAt = asked
      failed = false
    } catch (error) {
      failure = error
      failed = true
      return
    }
    for (const listener of listeners) listener(generation, asked)
  }

  poll()
  const timer = setInterval(poll, POLL_MS).unref()
  return {
    generation() {
      const now = clock.monotonic()
      if (now - confirmedAt >= 2 * POLL_MS) poll()
      if (now - confirmedAt > TRUST_MS) throw storeFailure(failure)
      return generation
    },
    changed() {
      generation += 1
    },
    confirm() {
      poll()
      if (failed) throw storeFailure(failure)
    },
    listen(listener) {
      listeners.push(listener)
    },
    stop() {
      clearInterval(timer)
      listeners.length = 0
      confirmedAt = Number.NEGATIVE_INFINITY
    },
  }
}
