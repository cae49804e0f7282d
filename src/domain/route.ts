import type { Actor } from './actor.ts'
import type { Cors } from './cors.ts'
import type { Plane, RouteKind } from './plane.ts'

/** What a verified actor must also be allowed to do. Every part given must hold. */
export interface Requirement {
  /** All of these. */
  readonly scopes: readonly string[]
  /** At least one of these; empty asks nothing. */
  readonly anyScope: readonly string[]
  /** At least one of these; empty asks nothing. */
  readonly roles: readonly string[]
  /** All of these, granted through the configured roles. */
  readonly permissions: readonly string[]
  /** One of these; empty asks nothing. */
  readonly actors: readonly Actor[]
  /** Exact values of claims. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** One rule of a route-plane file, compiled. */
export interface Route {
  readonly id: string
  readonly plane: Plane
  readonly kind: RouteKind
  /** Host names in lower case, `*.example.com` for one level or more below; empty: any host. */
  readonly hosts: readonly string[]
  readonly methods: readonly string[]
  /** Canonical pattern: literal segments, `:name`, trailing `*`. */
  readonly path: string
  readonly stripPrefix: string | null
  /** Name of the upstream; null for the gateway's own endpoints. */
  readonly upstream: string | null
  /** Names of the subject and combined limits, in the order they are taken. */
  readonly limits: readonly string[]
  /** null: any verified actor of the plane. */
  readonly require: Requirement | null
  /** Names of the cookies that may pass to the upstream; all others are dropped. */
  readonly cookies: readonly string[]
  /** Web pages of other origins that may call it; null: the gateway leaves CORS to the upstream. */
  readonly cors: Cors | null
  /** Milliseconds since the epoch from which the rule no longer holds; null: no end. */
  readonly expiresAt: number | null
  /** Where the rule is written: `file:line`. */
  readonly source: string
}
