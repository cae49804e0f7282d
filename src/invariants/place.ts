import type { GuardedPaths } from '../domain/guarded-paths.ts'
import { outboundPath } from '../domain/outbound-path.ts'
import type { Route } from '../domain/route.ts'

/** Whether a request is at a worker or an admin place: by its route's kind, by the kind of a route that it is another spelling of, by the path that came in, or by the path that would go out. */
export interface Place {
  readonly worker: boolean
  readonly admin: boolean
}

/** The declared paths of `invariants.workerPaths` and `invariants.adminPaths`. */
export interface DeclaredPlaces {
  readonly worker: GuardedPaths
  readonly admin: GuardedPaths
}

/** `rival`: the route that this would be in another spelling. */
export function placeOf(path: string, route: Route, rival: Route | null, declared: DeclaredPlaces): Place {
  const outgoing = outboundPath(path, route.stripPrefix)
  return {
    worker:
      route.kind === 'worker' || rival?.kind === 'worker' || declared.worker.covers(path) || declared.worker.covers(outgoing),
    admin: route.kind === 'admin' || rival?.kind === 'admin' || declared.admin.covers(path) || declared.admin.covers(outgoing),
  }
}
