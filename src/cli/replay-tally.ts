import type { PastDecision } from '../explain/imagined-record.ts'
import type { Compared, Comparison } from '../explain/imagined-replay.ts'
import type { UntoldReason } from '../explain/imagined-unknown.ts'

/** How many requests of a group are named. */
const EXAMPLES = 3
/** Unreadable lines that are named; the others are only counted. */
const PLACES = 10
/** Kinds of differences that are told apart. A log that anybody wrote may hold a new one in every line. */
const MOST_GROUPS = 1_000
/** Characters of each text of a record that are kept. */
const LONGEST_TEXT = 512

/** A request of a group. */
export interface Example {
  readonly requestId: string
  readonly method: string
  readonly path: string | null
}

/** Requests that were all decided alike, and now are all decided alike. */
export interface Difference {
  readonly from: Omit<Compared, 'rule'>
  readonly to: Compared
  count: number
  readonly examples: Example[]
}

/** What a replay found. Counts are of requests: a record that stands for several counts as so many. */
export interface ReplayReport {
  readonly decisions: number
  readonly same: number
  readonly different: number
  readonly untold: number
  /** Most frequent first. */
  readonly differences: readonly Difference[]
  /** Different as well, of further kinds that were not told apart. */
  readonly ungrouped: number
  /** Most frequent first. */
  readonly untoldReasons: readonly {
    readonly reason: UntoldReason
    readonly count: number
    readonly examples: readonly Example[]
  }[]
  readonly events: number
  /** Before `--since`. */
  readonly earlier: number
  readonly unreadable: { readonly count: number; readonly places: readonly string[] }
}

interface Untold {
  readonly reason: UntoldReason
  count: number
  readonly examples: Example[]
}

/** Counts comparisons in memory that grows with their kinds, up to a bound, and not with their number. */
export class ReplayTally {
  readonly #differences = new Map<string, Difference>()
  readonly #untold = new Map<UntoldReason, Untold>()
  readonly #places: string[] = []
  #same = 0
  #ungrouped = 0
  #events = 0
  #earlier = 0
  #unreadable = 0

  event(): void {
    this.#events += 1
  }

  earlier(): void {
    this.#earlier += 1
  }

  unreadable(place: string): void {
    this.#unreadable += 1
    if (this.#places.length < PLACES) this.#places.push(place)
  }

  add(past: PastDecision, comparison: Comparison): void {
    if (comparison.result === 'same') {
      this.#same += past.count
      return
    }
    const group = comparison.result === 'untold' ? this.#untoldBy(comparison.reason) : this.#difference(comparison)
    if (group === null) this.#ungrouped += past.count
    else count(group, past)
  }

  report(): ReplayReport {
    const differences = mostFrequentFirst(this.#differences)
    const untoldReasons = mostFrequentFirst(this.#untold)
    const different = sum(differences) + this.#ungrouped
    const untold = sum(untoldReasons)
    return {
      decisions: this.#same + different + untold,
      same: this.#same,
      different,
      untold,
      differences,
      ungrouped: this.#ungrouped,
      untoldReasons,
      events: this.#events,
      earlier: this.#earlier,
      unreadable: { count: this.#unreadable, places: this.#places },
    }
  }

  /** null: there are too many kinds already. What is compared with is from a configuration, and bounded. */
  #difference({ from: { decision, code, route }, to }: Extract<Comparison, { result: 'different' }>): Difference | null {
    const from = { decision, code: cut(code), route: cut(route) }
    const key = JSON.stringify([decision, from.code, from.route, to.decision, to.code, to.route, to.rule])
    const known = this.#differences.get(key)
    if (known !== undefined) return known
    if (this.#differences.size >= MOST_GROUPS) return null
    const group = { from, to, count: 0, examples: [] }
    this.#differences.set(key, group)
    return group
  }

  #untoldBy(reason: UntoldReason): Untold {
    const known = this.#untold.get(reason) ?? { reason, count: 0, examples: [] }
    this.#untold.set(reason, known)
    return known
  }
}

function count(
  group: { count: number; readonly examples: Example[] },
  { requestId, method, path, count: requests }: PastDecision,
): void {
  group.count += requests
  if (group.examples.length < EXAMPLES) group.examples.push({ requestId: cut(requestId), method: cut(method), path: cut(path) })
}

function cut<Text extends string | null>(text: Text): Text | string {
  return text === null || text.length <= LONGEST_TEXT ? text : text.slice(0, LONGEST_TEXT).toWellFormed()
}

function mostFrequentFirst<Group extends { readonly count: number }>(groups: ReadonlyMap<unknown, Group>): Group[] {
  return [...groups.values()].sort((a, b) => b.count - a.count)
}

function sum(groups: readonly { readonly count: number }[]): number {
  return groups.reduce((total, group) => total + group.count, 0)
}
