import type { Principal } from '../domain/credential.ts'
import type { Route } from '../domain/route.ts'

/** The signed identity that an upstream receives, as one header. */
export interface Assertion {
  readonly header: string
  readonly value: string
}

/** Vouches for a principal towards one upstream. */
export interface AssertionIssuer {
  /** `method` and the route's id go into the assertion where it is bound to the request. Throws when it cannot sign. */
  issue(principal: Principal, route: Route, method: string): Assertion | Promise<Assertion>
}
