import type { Evidence } from '../domain/evidence.ts'
import type { Provider } from '../domain/provider.ts'
import type { Route } from '../domain/route.ts'
import type { Upstream } from '../domain/upstream.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Stage } from '../pipeline/proof.ts'
import type { Refusal } from '../problem/refusal.ts'

export type Verdict = 'passed' | 'refused' | 'not-reached'

/** One stage of a decision, in words. `forward` is what the listener does with a request that was granted. */
export interface Step {
  readonly stage: Stage | 'forward'
  readonly verdict: Verdict
  /** What it looked at: kinds, ids, digests and claims, never a credential. null: not reached. */
  readonly input: string | null
  /** What it made of that. */
  readonly says: string | null
  /** What decided: `file:line`, or the name of an invariant; null: what holds everywhere. */
  readonly rule: string | null
}

export interface Words {
  readonly input: string
  readonly says: string
  readonly rule: string | null
}

/** A stage at work: what was known before it, and either what it found out or why it refused. */
export interface Moment {
  readonly before: Evidence
  readonly after: Evidence | null
  readonly refusal: Refusal | null
  readonly world: World
}

/** Says what one stage did. Decides nothing. */
export type Speaker = (moment: Moment) => Words

/** A declared worker or admin path, and where it is written (`file:line`). */
export interface GuardedPlace {
  readonly pattern: string
  readonly source: string
}

/** Where the parts of a route are written. */
export interface RouteSources {
  readonly plane: string
  readonly kind: string
  readonly require: string
  readonly expires: string
  readonly cors: string
}

/** What the words need to know beside the request. */
export interface World {
  readonly pipeline: Pipeline
  readonly providers: readonly Provider[]
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly routes: readonly Route[]
  /** null: an endpoint of the gateway itself, which nobody wrote. */
  sourcesOf(route: Route): RouteSources | null
  readonly workerPaths: readonly GuardedPlace[]
  readonly adminPaths: readonly GuardedPlace[]
  /** Where `server.maxBodySize` is, or would be, written. */
  readonly maxBodySizeSource: string
  /** What the API keys and revocations were looked up in, in words. */
  readonly store: string
}
