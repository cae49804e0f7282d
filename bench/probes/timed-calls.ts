import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Spread, spreadOf } from '../lab/statistics.ts'

/** Calls in a row, after which everybody else has a turn: what is written in the background must not pile up. */
const SLICE = 250

/** What one call costs: nanoseconds, and bytes of heap that it allocates. */
export interface CallCost {
  readonly nanoseconds: Spread
  readonly bytes: Spread
}

/**
 * Calls something very often, in batches, and gives what a call took. Only the calls count, not what happens between two slices. Needs
 * `--expose-gc` and young generations so large that none is collected within a batch: then the heap grows by exactly what is allocated, and
 * collecting is not part of the time.
 */
export async function timedCalls(call: () => unknown, { batches, calls }: { batches: number; calls: number }): Promise<CallCost> {
  await batch(call, calls)
  const times: number[] = []
  const sizes: number[] = []
  for (let turn = 0; turn < batches; turn += 1) {
    const { nanoseconds, bytes } = await batch(call, calls)
    times.push(nanoseconds / calls)
    sizes.push(bytes / calls)
  }
  return { nanoseconds: spreadOf(times), bytes: spreadOf(sizes) }
}

async function batch(call: () => unknown, calls: number): Promise<{ nanoseconds: number; bytes: number }> {
  globalThis.gc?.()
  let nanoseconds = 0
  let bytes = 0
  for (let made = 0; made < calls; made += SLICE) {
    await nextTurn()
    const held = process.memoryUsage().heapUsed
    const began = process.hrtime.bigint()
    await slice(call, Math.min(SLICE, calls - made))
    nanoseconds += Number(process.hrtime.bigint() - began)
    bytes += process.memoryUsage().heapUsed - held
  }
  return { nanoseconds, bytes }
}

/** A promise is awaited, as whoever calls a stage that gives one does; an answer at hand is not. */
async function slice(call: () => unknown, calls: number): Promise<void> {
  for (let made = 0; made < calls; made += 1) {
    const answer = call()
    if (answer instanceof Promise) await answer
  }
}
