import type { ConfiguredRoute, Gateway } from '../config/gateway.ts'
import type { Cors } from '../domain/cors.ts'
import { guardedPaths } from '../domain/guarded-paths.ts'
import { outboundPath } from '../domain/outbound-path.ts'
import { planeAdmits } from '../domain/plane.ts'
import type { Requirement, Route } from '../domain/route.ts'

/** One route as `check` shows it. */
export interface RouteReport {
  readonly id: string
  readonly methods: readonly string[]
  readonly path: string
  readonly hosts: readonly string[]
  readonly plane: Route['plane']
  readonly kind: Route['kind']
  /** `everybody`, `nobody`, or the kinds of credential that can pass. */
  readonly admits: readonly string[]
  readonly require: Requirement | null
  readonly limits: readonly string[]
  /** Which web pages of other origins may call it; `maxAge` in milliseconds. */
  readonly cors: Cors | null
  readonly upstream: string | null
  /** Last day (UTC), inclusive. */
  readonly expires: string | null
  readonly reason: string | null
  readonly source: string
  /** What deserves a second look: `public`, `temporary`, `nobody`, `no-require`. */
  readonly marks: readonly string[]
}

/** All routes, sorted by path and host, with who gets in. */
export function routeReports(gateway: Gateway): RouteReport[] {
  const admits = admission(gateway)
  return gateway.routes
    .map((route): RouteReport => {
      const entrants = admits(route)
      return {
        id: route.id,
        methods: route.methods,
        path: route.path,
        hosts: route.hosts,
        plane: route.plane,
        kind: route.kind,
        admits: entrants,
        require: route.require,
        limits: route.limits,
        cors: route.cors,
        upstream: route.upstream,
        expires: route.expiresAt === null ? null : new Date(route.expiresAt - 1).toISOString().slice(0, 10),
        reason: route.reason,
        source: route.source,
        marks: marksOf(route, entrants),
      }
    })
    .sort(
      (a, b) => compare(a.path, b.path) || compare(a.hosts.join(), b.hosts.join()) || compare(a.methods.join(), b.methods.join()),
    )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function marksOf(route: ConfiguredRoute, entrants: readonly string[]): string[] {
  const marks: string[] = []
  if (route.plane === 'PUBLIC') marks.push('public')
  if (route.expiresAt !== null) marks.push('temporary')
  if (entrants[0] === 'nobody') marks.push('nobody')
  if (route.plane !== 'PUBLIC' && !route.requirementWritten) marks.push('no-require')
  return marks
}

/**
 * Which credentials could pass a route by plane, kind, guarded path and the kinds of actor it asks for. Does not say which scopes or
 * roles anybody holds.
 */
function admission(gateway: Gateway): (route: Route) => string[] {
  const workers = guardedPaths(gateway.workerPaths)
  const admins = guardedPaths(gateway.adminPaths)
  const issues = (side: 'human' | 'machine') =>
    gateway.developmentIssuer || gateway.providers.some(({ plane }) => speaksFor(plane, side))
  const issued = { human: issues('human'), machine: issues('machine') }
  return (route) => {
    if (route.plane === 'PUBLIC') return ['everybody']
    const ways = [route.path, outboundPath(route.path, route.stripPrefix)]
    const jwt = route.kind !== 'worker' && !ways.some((path) => workers.covers(path))
    const apiKey = route.kind !== 'admin' && !ways.some((path) => admins.covers(path))
    const { actors, keyable } = asked(route.require)
    const entrants: string[] = []
    if (jwt && issued.human && planeAdmits(route.plane, 'HUMAN') && (actors === null || actors.includes('human')))
      entrants.push('human JWT')
    // No token says that it is an agent's: only the gateway itself could make such ones, and this version makes none.
    const machine = planeAdmits(route.plane, 'MACHINE') && (actors === null || actors.includes('service'))
    if (jwt && issued.machine && machine) entrants.push('machine JWT')
    if (apiKey && keyable && machine) entrants.push('API key')
    return entrants.length === 0 ? ['nobody'] : entrants
  }
}

/** What a requirement says about kinds of callers: an API key has neither roles nor claims. */
function asked(require: Requirement | null): { actors: readonly string[] | null; keyable: boolean } {
  if (require === null) return { actors: null, keyable: true }
  const keyable = require.roles.length === 0 && require.permissions.length === 0 && Object.keys(require.claims).length === 0
  return { actors: require.actors.length === 0 ? null : require.actors, keyable }
}

function speaksFor(plane: Gateway['providers'][number]['plane'], side: 'human' | 'machine'): boolean {
  return 'fixed' in plane ? plane.fixed === (side === 'human' ? 'HUMAN' : 'MACHINE') : plane[side].length > 0
}
