import type { DecisionRecord } from '../domain/decision-record.ts'
import type { Plane } from '../domain/plane.ts'
import { REFUSALS } from '../problem/refusals.ts'
import type { Tally, TallyCell } from './tally.ts'

type DecisionLabel = 'route' | 'plane' | 'outcome' | 'code'
type RequestLabel = 'route' | 'method' | 'status'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'OTHER'] as const
const METHOD_INDEX: ReadonlyMap<string, number> = new Map(METHODS.map((method, index) => [method, index]))
const OTHER_METHOD = METHODS.length - 1
const STATUSES = 1000

/**
 * The cells of one route, made when first needed. Their number is bounded by the refusal table, the list of methods and three-digit
 * statuses, whatever clients send.
 */
export class RouteCells {
  readonly #route: string
  readonly #plane: Plane | 'none'
  readonly #decisions: Tally<DecisionLabel>
  readonly #requests: Tally<RequestLabel>
  readonly #allowed = new Map<string, TallyCell>()
  readonly #denied = new Map<string, TallyCell>()
  readonly #answered = new Map<number, TallyCell>()

  constructor(route: string, plane: Plane | null, decisions: Tally<DecisionLabel>, requests: Tally<RequestLabel>) {
    this.#route = route
    this.#plane = plane ?? 'none'
    this.#decisions = decisions
    this.#requests = requests
  }

  count(record: DecisionRecord): void {
    this.#decision(record.decision, record.code).pending += 1
    this.#answer(record.method, record.status).pending += 1
  }

  #decision(outcome: 'allow' | 'deny', recordCode: string | null): TallyCell {
    const code = recordCode === null ? 'none' : Object.hasOwn(REFUSALS, recordCode) ? recordCode : 'internal'
    const cells = outcome === 'allow' ? this.#allowed : this.#denied
    const known = cells.get(code)
    if (known !== undefined) return known
    const cell = this.#decisions.cell({ route: this.#route, plane: this.#plane, outcome, code })
    cells.set(code, cell)
    return cell
  }

  #answer(method: string, status: number): TallyCell {
    const index = METHOD_INDEX.get(method) ?? OTHER_METHOD
    const key = index * STATUSES + (status % STATUSES)
    const known = this.#answered.get(key)
    if (known !== undefined) return known
    const cell = this.#requests.cell({ route: this.#route, method: METHODS[index] ?? 'OTHER', status: String(status % STATUSES) })
    this.#answered.set(key, cell)
    return cell
  }
}
