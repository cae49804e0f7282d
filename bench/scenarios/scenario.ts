import type { Upstream } from '../contestants/upstream.ts'
import type { Bench } from '../lab/bench.ts'
import { spreadText, type Target, table, targetText, verdict } from '../lab/report.ts'
import type { RoundOptions, Series } from '../lab/rounds.ts'
import { ratios, spreadOf } from '../lab/statistics.ts'
import type { Tools } from '../lab/tools.ts'

/** What a scenario works with. */
export interface Lab extends RoundOptions {
  readonly bench: Bench
  readonly tools: Tools
  readonly upstream: Upstream
  readonly wrk: string
  /** Fewer and shorter rounds, and smaller amounts where they say nothing about cost: to see that everything works. */
  readonly quick: boolean
  /** Prints a part of the result. */
  print(text: string): void
}

export type Scenario = (lab: Lab) => Promise<void>

/** CPU per request, rate and share of the core, a row for each contestant. */
export function seriesTable(series: readonly Series[], unit = 'request'): string {
  const rows = series.map(({ name, cpu, perSecond, busy }) => [
    name,
    spreadText(spreadOf(cpu), 1),
    spreadText(spreadOf(perSecond), 0),
    `${(spreadOf(busy).median * 100).toFixed(0)} %`,
  ])
  return table(['contestant', `CPU per ${unit}, µs`, `${unit}s per second`, 'of its core'], rows)
}

/** A ratio that has a target, or none. */
export interface Ratio {
  readonly name: string
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
  readonly target: Target | null
}

/** A row for each ratio, its target beside it. */
export function ratioTable(given: readonly Ratio[]): string {
  const rows = given.map(({ name, ours, theirs, target }) => {
    const ratio = ratios(ours, theirs)
    return [
      name,
      spreadText(ratio, 2),
      target === null ? '' : targetText(target),
      target === null ? '' : verdict(ratio.median, target),
    ]
  })
  return table(['ratio', 'median (min..max)', 'target', ''], rows)
}

/** CPU per request of one contestant by that of each of the others; nothing for one that is not there. */
export function cpuRatios(series: readonly Series[], ours: string, targets: Readonly<Record<string, Target | null>>): Ratio[] {
  const own = series.find(({ name }) => name === ours)
  return Object.entries(targets).flatMap(([name, target]) => {
    const other = series.find((one) => one.name === name)
    if (own === undefined || other === undefined) return []
    return [{ name: `${ours} / ${name}`, ours: own.cpu, theirs: other.cpu, target }]
  })
}
