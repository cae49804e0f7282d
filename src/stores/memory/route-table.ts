import findMyWay from 'find-my-way'
import { unionOf } from '../../domain/cors.ts'
import type { Target } from '../../domain/inbound.ts'
import type { Route } from '../../domain/route.ts'
import type { RouteTable } from '../../ports/route-table.ts'

/** Bytes; longer than any path that a listener takes, so that length alone never hides a route. */
const LONGEST_PARAMETER = 65_536

/**
 * Routes in a radix tree. find-my-way decodes escapes by rules of its own; both patterns and paths are therefore handed to it with `%` replaced by a
 * character that no canonical path holds, so that it compares exactly what is forwarded.
 */
export function routeTable(routes: readonly Route[]): RouteTable {
  const methods = new Set(routes.flatMap((route) => route.methods))
  const exactly = routerOf(routes, { caseSensitive: true, ignoreTrailingSlash: false })
  const loosely = routerOf(routes, { caseSensitive: false, ignoreTrailingSlash: true })
  const find = (method: string, target: Target): Route | null => {
    if (!methods.has(method)) return null
    return lookUp(exactly, method, target)[0] ?? null
  }
  return {
    cors: unionOf(routes.flatMap((route) => route.cors ?? [])),
    find,
    rivalOf(route, method, target) {
      if (!/[:*]/.test(route.path)) return null
      return lookUp(loosely, method, target).find((rival) => !closesNothing(rival, route)) ?? null
    },
    methodsFor: (target) => [...methods].filter((method) => find(method, target) !== null).sort(),
  }
}

type Router = findMyWay.Instance<findMyWay.HTTPVersion.V1>

/** A router whose entries are all routes that it takes for one; several only where spelling is loose. */
function routerOf(routes: readonly Route[], spelling: { caseSensitive: boolean; ignoreTrailingSlash: boolean }): Router {
  const router = findMyWay({ ...spelling, maxParamLength: LONGEST_PARAMETER })
  const entries = new Map<string, Route[]>()
  for (const [route, host] of byHost(routes)) {
    const constraints = host === null ? {} : { host: host.startsWith('*.') ? subdomainsOf(host.slice(2)) : host }
    for (const method of route.methods) {
      const shape = `${method} ${host} ${spelling.caseSensitive ? route.path : looseShape(route.path)}`
      const known = entries.get(shape)
      if (known !== undefined) {
        known.push(route)
        continue
      }
      const entry = [route]
      entries.set(shape, entry)
      router.on(method as findMyWay.HTTPMethod, opaque(route.path), { constraints }, unused, entry)
    }
  }
  return router
}

/** What all spellings of a pattern have in common that a loose router takes for one. */
function looseShape(path: string): string {
  return path
    .toLowerCase()
    .replace(/:[^/]+/g, ':')
    .replace(/(.)\/$/, '$1')
}

/** Host by host: exact names first, then wildcards, the longest first, for find-my-way takes the first that fits. */
function byHost(routes: readonly Route[]): [Route, string | null][] {
  const pairs = routes.flatMap((route): [Route, string | null][] =>
    route.hosts.length === 0 ? [[route, null]] : route.hosts.map((host) => [route, host]),
  )
  const rank = (host: string | null) => (host === null ? 0 : host.startsWith('*.') ? host.length : 1_000)
  return pairs.sort(([, a], [, b]) => rank(b) - rank(a))
}

const NONE: readonly Route[] = []

function lookUp(router: Router, method: string, { path, host }: Target): readonly Route[] {
  const found = router.find(method as findMyWay.HTTPMethod, opaque(path), host === '' ? undefined : { host })
  return (found?.store as readonly Route[] | undefined) ?? NONE
}

/** Whether `rival` asks for nothing that `route` does not ask for as well. */
function closesNothing(rival: Route, route: Route): boolean {
  if (rival === route || rival.plane === 'PUBLIC') return true
  return (
    rival.plane === route.plane && rival.kind === route.kind && JSON.stringify(rival.require) === JSON.stringify(route.require)
  )
}

function opaque(path: string): string {
  return path.includes('%') ? path.replaceAll('%', '\x01') : path
}

/** One label or more below the name; every character of the name stands for itself. */
function subdomainsOf(name: string): RegExp {
  return new RegExp(`^[a-z0-9_-]+(?:\\.[a-z0-9_-]+)*\\.${name.replace(/[^a-z0-9-]/g, '\\$&')}$`)
}

function unused(): void {}
