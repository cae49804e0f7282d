import type { Cors } from '../domain/cors.ts'
import type { Target } from '../domain/inbound.ts'
import type { Route } from '../domain/route.ts'

/** Host, method and canonical path to exactly one route. Static segments beat parameters, parameters beat wildcards. */
export interface RouteTable {
  find(method: string, target: Target): Route | null
  /**
   * The other route that this path would be, read without regard to case and a final slash, as many servers read it; null when there is none, or when
   * it closes nothing that `route` leaves open. To be asked where `find` gave `route`.
   */
  rivalOf(route: Route, method: string, target: Target): Route | null
  /** Methods that this host and path do have; empty when there is nothing here. */
  methodsFor(target: Target): readonly string[]
  /** What all routes together allow web pages; null: nothing. */
  readonly cors: Cors | null
}
