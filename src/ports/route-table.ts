import type { Target } from '../domain/inbound.ts'
import type { Route } from '../domain/route.ts'

/** Host, method and canonical path to exactly one route. Static segments beat parameters, parameters beat wildcards. */
export interface RouteTable {
  find(method: string, target: Target): Route | null
  /** Methods that this host and path do have; empty when there is nothing here. */
  methodsFor(target: Target): readonly string[]
}
