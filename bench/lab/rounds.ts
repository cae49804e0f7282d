import type { Started } from './bench.ts'
import { rotated } from './statistics.ts'
import { cpuTime, settled } from './usage.ts'

/** One contestant under one load. */
export interface Entrant {
  readonly name: string
  readonly process: Started
  /** Sends load for about so many seconds; gives how many requests (or messages, or events) were answered, and how many in a second. */
  run(seconds: number): Promise<{ readonly requests: number; readonly perSecond: number }>
  /** For load that goes on by itself: begins before a round and ends after it, and only what is used between counts. */
  readonly steady?: { open(): Promise<void>; close(): Promise<void> }
}

/** The figures of one contestant, one of each per round. */
export interface Series {
  readonly name: string
  /** Microseconds of CPU for a request, user and system. */
  readonly cpu: number[]
  readonly perSecond: number[]
  /** Share of one core that it used while the load ran: near 1, it was the contestant that set the pace. */
  readonly busy: number[]
}

export interface RoundOptions {
  readonly rounds: number
  readonly seconds: number
  /** Seconds of the round that is not counted: a compiler that optimizes while it runs needs some 30,000 requests. */
  readonly warmUp: number
  readonly say: (line: string) => void
}

/** One round that is not counted, for compilers and caches, and then the rounds; all contestants in each, in rotated order. */
export async function compare(entrants: readonly Entrant[], { rounds, seconds, warmUp, say }: RoundOptions): Promise<Series[]> {
  const series = entrants.map(({ name }): Series => ({ name, cpu: [], perSecond: [], busy: [] }))
  for (let round = 0; round <= rounds; round += 1) {
    for (const entrant of rotated(entrants, round)) {
      const figures = await measure(entrant, round === 0 ? Math.max(seconds, warmUp) : seconds)
      if (round === 0) continue
      const of = series[entrants.indexOf(entrant)]
      of?.cpu.push(figures.cpu)
      of?.perSecond.push(figures.perSecond)
      of?.busy.push(figures.busy)
    }
    say(round === 0 ? `warm, ${rounds} rounds follow` : `round ${round} of ${rounds}`)
  }
  return series
}

interface Figures {
  readonly cpu: number
  readonly perSecond: number
  readonly busy: number
}

async function measure({ process: { pid }, run, steady }: Entrant, seconds: number): Promise<Figures> {
  await steady?.open()
  if (steady === undefined) await settled(pid)
  const before = cpuTime(pid)
  const { requests, perSecond } = await run(seconds)
  const during = cpuTime(pid) - before
  if (steady === undefined) await settled(pid)
  const used = steady === undefined ? cpuTime(pid) - before : during
  await steady?.close()
  return { cpu: used / requests / 1000, perSecond, busy: during / 1e9 / (requests / perSecond) }
}
