import findMyWay from 'find-my-way'
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
  const router = findMyWay({ caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: LONGEST_PARAMETER })
  const methods = new Set<string>()
  for (const route of routes) {
    for (const method of route.methods) {
      methods.add(method)
      for (const constraints of constraintsOf(route))
        router.on(method as findMyWay.HTTPMethod, opaque(route.path), { constraints }, unused, route)
    }
  }
  const find = (method: string, target: Target): Route | null => {
    if (!methods.has(method)) return null
    const found = router.find(
      method as findMyWay.HTTPMethod,
      opaque(target.path),
      target.host === '' ? undefined : { host: target.host },
    )
    return (found?.store as Route | undefined) ?? null
  }
  return {
    find,
    methodsFor: (target) => [...methods].filter((method) => find(method, target) !== null).sort(),
  }
}

function opaque(path: string): string {
  return path.includes('%') ? path.replaceAll('%', '\x01') : path
}

function constraintsOf({ hosts }: Route): Record<string, unknown>[] {
  if (hosts.length === 0) return [{}]
  return hosts.map((host) => ({ host: host.startsWith('*.') ? subdomainsOf(host.slice(2)) : host }))
}

/** One label or more below the name; every character of the name stands for itself. */
function subdomainsOf(name: string): RegExp {
  return new RegExp(`^[a-z0-9_-]+(?:\\.[a-z0-9_-]+)*\\.${name.replace(/[^a-z0-9-]/g, '\\$&')}$`)
}

function unused(): void {}
