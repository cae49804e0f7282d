import { guardedPaths } from '../../domain/guarded-paths.ts'
import { outboundPath } from '../../domain/outbound-path.ts'
import type { Draft, DraftRoute } from '../draft.ts'
import { atRoute, eachRoute, type Rule } from './rule.ts'

/** Every route says who it is for. */
export const planeNamed: Rule = eachRoute((route) =>
  route.values.plane !== undefined || route.broken.has('plane')
    ? null
    : route.source.finding(route.path, 'names no plane, and neither does its file: HUMAN_ONLY, MACHINE_ONLY, BOTH or PUBLIC'),
)

const FITTING = { worker: ['MACHINE_ONLY', 'BOTH'], admin: ['HUMAN_ONLY', 'BOTH'] } as const
const NAMED = { worker: 'a worker', admin: 'an admin' } as const
const REFUSES = { worker: 'takes API keys only', admin: 'takes no API key' } as const

/** A worker route is for machines, an admin route for humans. */
export const kindFitsPlane: Rule = eachRoute((route) => {
  const { plane, kind } = route.values
  if (plane === undefined || kind === undefined || kind === 'user') return null
  const fitting: readonly string[] = FITTING[kind]
  if (fitting.includes(plane)) return null
  return atRoute(
    route,
    'kind',
    `${NAMED[kind]} route ${REFUSES[kind]}, so its plane must be ${fitting.join(' or ')}, not ${plane}`,
  )
})

/** A route in a worker or admin path has a plane and a kind that fit there; on the way in and on the way to the upstream. */
export const planeFitsGuardedPath: Rule = eachRoute((route, draft) => {
  const { plane, kind } = route.values
  if (plane === undefined) return null
  return guardsOver(route, draft).flatMap(({ guard, path }) => {
    const fitting: readonly string[] = FITTING[guard]
    if (!fitting.includes(plane)) {
      return [
        atRoute(
          route,
          'path',
          `${path} lies in ${NAMED[guard]} path, which ${REFUSES[guard]}: its plane must be ${fitting.join(' or ')}, not ${plane}`,
        ),
      ]
    }
    if (kind !== undefined && kind !== 'user' && kind !== guard) {
      return [atRoute(route, 'kind', `${path} lies in ${NAMED[guard]} path and the route is of kind ${kind}: nobody could pass`)]
    }
    return []
  })
})

/** No route lies in a worker path and in an admin path: the one takes only API keys, the other takes none. */
export const notWorkerAndAdmin: Rule = eachRoute((route, draft) => {
  const guards = new Set(guardsOver(route, draft).map(({ guard }) => guard))
  return guards.size < 2
    ? null
    : atRoute(route, 'path', 'lies in a worker path and in an admin path: nobody could pass; move one of them')
})

/** Worker paths and admin paths do not overlap. */
export const guardedPathsApart: Rule = ({ sections }) => {
  const { workerPaths = [], adminPaths = [] } = sections.invariants.values
  return adminPaths.flatMap((path, index) => {
    const other = workerPaths.find((worker) => overlaps(worker, path) || overlaps(path, worker))
    const message = `overlaps the worker path ${other}: nobody could pass where both hold`
    return other === undefined
      ? []
      : [sections.invariants.source.finding([...sections.invariants.path, 'adminPaths', index], message)]
  })
}

/** Warning: a PUBLIC route that is wide enough to reach into a guarded path. */
export const publicStaysOutOfGuardedPaths: Rule = eachRoute((route, draft) => {
  if (route.values.plane !== 'PUBLIC' || guardsOver(route, draft).length > 0) return null
  const { workerPaths = [], adminPaths = [] } = draft.sections.invariants.values
  const reached = [...workerPaths, ...adminPaths].find((guard) => waysOf(route).some((path) => overlaps(guard, path)))
  return reached === undefined
    ? null
    : atRoute(route, 'path', `is PUBLIC and can match requests in ${reached}; write a narrower path`)
})

/** No PUBLIC route without a written reason. */
export const publicHasReason: Rule = eachRoute((route) =>
  route.values.plane !== 'PUBLIC' || route.values.reason !== undefined || route.broken.has('reason')
    ? null
    : route.source.finding(
        route.path,
        'is PUBLIC without a reason: add reason: with the words why nobody has to prove who they are',
      ),
)

/** A PUBLIC route verifies nobody, so it cannot ask anything of its caller or count by it. */
export const publicAsksNothing: Rule = eachRoute((route) => {
  if (route.values.plane !== 'PUBLIC') return null
  const findings = []
  if (route.values.require !== undefined)
    findings.push(
      atRoute(route, 'require', 'a PUBLIC route verifies nobody, so nothing can be required; remove it or choose another plane'),
    )
  if ((route.values.limits ?? []).length > 0)
    findings.push(
      atRoute(
        route,
        'limits',
        'a PUBLIC route knows no subject to count by; use a limit with `key: ip`, which applies to every request',
      ),
    )
  return findings
})

/** Warning: cookies that pass on a PUBLIC route are believed by nobody but the upstream. */
export const publicPassesNoCookies: Rule = eachRoute((route) =>
  route.values.plane === 'PUBLIC' && (route.values.cookies ?? []).length > 0
    ? atRoute(
        route,
        'cookies',
        'these cookies reach the upstream although nobody was verified; make sure that none of them is a session',
      )
    : null,
)

/** No rule past its date. */
export const notExpired: Rule = eachRoute((route, { now }) =>
  route.values.expires !== undefined && route.values.expires <= now
    ? atRoute(route, 'expires', 'the rule has expired and is refused; remove it or write a later date')
    : null,
)

/** Warning: a route that lets in any verified actor of its plane without saying so. */
export const requirementWritten: Rule = eachRoute((route) =>
  route.values.plane === undefined ||
  route.values.plane === 'PUBLIC' ||
  route.values.require !== undefined ||
  route.broken.has('require')
    ? null
    : route.source.finding(
        route.path,
        'has no require: any verified actor of the plane may use it; write require: any if that is meant',
      ),
)

function waysOf(route: DraftRoute): string[] {
  const { path, stripPrefix } = route.values
  if (path === undefined) return []
  return stripPrefix === undefined ? [path] : [path, outboundPath(path, stripPrefix)]
}

/** Which guards cover the whole route, and by which of its two paths. */
function guardsOver(route: DraftRoute, draft: Draft): { guard: 'worker' | 'admin'; path: string }[] {
  const { workerPaths = [], adminPaths = [] } = draft.sections.invariants.values
  const guards = [
    { guard: 'worker' as const, paths: guardedPaths(workerPaths) },
    { guard: 'admin' as const, paths: guardedPaths(adminPaths) },
  ]
  return guards.flatMap(({ guard, paths }) => {
    const path = waysOf(route).find((way) => paths.covers(way))
    return path === undefined ? [] : [{ guard, path }]
  })
}

/** Whether some request fits both patterns. Compared without regard to case, as guarded paths are. */
function overlaps(guard: string, pattern: string): boolean {
  const left = guard.toLowerCase().split('/')
  const right = pattern.toLowerCase().split('/')
  for (let index = 1; ; index += 1) {
    const [a, b] = [left[index], right[index]]
    // Past `/x` of a guard `/x/*` everything fits; a route's own `*` takes whatever is left.
    if (a === '*') return true
    if (b === '*') return a !== undefined
    if (a === undefined || b === undefined) return a === b
    if (a !== b && !b.startsWith(':')) return false
  }
}
