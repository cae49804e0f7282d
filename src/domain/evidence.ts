import type { Credential, Principal } from './credential.ts'
import type { Inbound, Target } from './inbound.ts'
import type { Allowance } from './limit.ts'
import type { Route } from './route.ts'

/** What is known of a request once its address was let in. */
export interface Arrived {
  readonly inbound: Inbound
  readonly allowances: readonly Allowance[]
}

/** ... once it has one reading. */
export interface Aimed extends Arrived {
  readonly target: Target
}

/** ... once a route was found for it. */
export interface Placed extends Aimed {
  readonly route: Route
  /** The route that this would be in another spelling, and that is closed where `route` is open; null: none. */
  readonly rival: Route | null
  /** A browser only asks whether a page may send what it has in mind: `route` is the one for that, made to answer and nothing else. */
  readonly preflight: boolean
}

/** ... once its credential was read. */
export interface Carrying extends Placed {
  /** On a PUBLIC route whatever came along, never verified; null: nothing. */
  readonly credential: Credential | null
}

/** ... once the credential was verified. */
export interface Known extends Carrying {
  /** null only where the route is PUBLIC. */
  readonly principal: Principal | null
}

/** What is known of a request so far, wherever it stopped. Absent means: not yet reached. */
export type Evidence = Pick<Arrived, 'inbound'> & Partial<Known>
