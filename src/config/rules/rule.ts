import type { Draft, DraftRoute } from '../draft.ts'
import type { Finding } from '../finding.ts'

/** One sentence about a whole configuration. Returns what contradicts it; says nothing about values that could not be read. */
export type Rule = (draft: Draft) => Finding[]

/** A rule about each route by itself. `says` returns nothing where the route is fine. */
export function eachRoute(says: (route: DraftRoute, draft: Draft) => Finding[] | Finding | null): Rule {
  return (draft) => draft.routes.flatMap((route) => says(route, draft) ?? [])
}

/** A finding about one key of a route; at the route itself when the key came from its file. */
export function atRoute(route: DraftRoute, key: string, message: string): Finding {
  return route.source.finding([...route.path, key], message)
}

/** The name of a route in messages about another one. */
export function nameOf(route: DraftRoute): string {
  const { line } = route.source.place(route.path)
  return `${route.values.id ?? 'a route'} (${route.source.display}:${line})`
}
