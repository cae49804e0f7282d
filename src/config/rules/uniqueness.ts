import type { Draft, DraftRoute, Salvaged } from '../draft.ts'
import type { Finding } from '../finding.ts'
import { nameOf, type Rule } from './rule.ts'

/** Route ids are unique over all files. */
export const uniqueRouteIds: Rule = (draft) =>
  repeated(draft.routes, 'id', (first) => `is already the id of ${nameOf(first as DraftRoute)}`)

/** Provider names are unique. */
export const uniqueProviderNames: Rule = (draft) =>
  repeated(draft.providers, 'name', () => 'is already the name of another provider')

/** One issuer has one provider: a token is matched by its `iss` alone. */
export const uniqueIssuers: Rule = (draft) =>
  repeated(draft.providers, 'issuer', (first) => {
    const name = (first.values as Draft['providers'][number]['values']).name
    return `is already the issuer of provider ${name ?? 'above'}; two providers cannot share one`
  })

/** Limit names are unique. */
export const uniqueLimitNames: Rule = (draft) => repeated(draft.limits, 'name', () => 'is already the name of another limit')

/** Target addresses and lists of hosts, methods and limits name nothing twice. */
export const noRepeatedEntries: Rule = (draft) =>
  draft.routes.flatMap((route) =>
    (['hosts', 'methods', 'limits'] as const).flatMap((key) => {
      const list: readonly string[] = route.values[key] ?? []
      return list.flatMap((entry, index) =>
        list.indexOf(entry) < index ? [route.source.finding([...route.path, key, index], `${entry} is named twice`)] : [],
      )
    }),
  )

/** No request fits two routes: same shape of path, same host, same method. */
export const oneRouteForEachRequest: Rule = (draft) => {
  const taken = new Map<string, DraftRoute>()
  return draft.routes.flatMap((route) => {
    for (const claim of claimsOf(route)) {
      const first = taken.get(claim.key)
      if (first !== undefined && first !== route) {
        const message = `answers ${claim.method} on the same path${claim.host === '' ? '' : ` of ${claim.host}`} as ${nameOf(first)}`
        return [route.source.finding([...route.path, 'path'], message)]
      }
      taken.set(claim.key, route)
    }
    return []
  })
}

function claimsOf(route: DraftRoute): { key: string; method: string; host: string }[] {
  const { path, hosts, methods } = route.values
  if (path === undefined || hosts === undefined || route.broken.has('methods')) return []
  const shape = path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? ':' : segment))
    .join('/')
  const all = hosts.length === 0 ? [''] : hosts
  return all.flatMap((host) => withHead(methods).map((method) => ({ key: `${method} ${host} ${shape}`, method, host })))
}

/** The methods that a route answers: GET when it names none, and HEAD with every GET. */
export function withHead(methods: readonly string[] | undefined): string[] {
  const named = methods ?? ['GET']
  return [...new Set(named.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))]
}

function repeated<T extends object>(
  drafts: readonly Salvaged<T>[],
  key: keyof T & string,
  message: (first: Salvaged<T>) => string,
) {
  const seen = new Map<unknown, Salvaged<T>>()
  return drafts.flatMap((draft): Finding[] => {
    const value = draft.values[key]
    const first = seen.get(value)
    if (value === undefined || first === undefined) {
      seen.set(value, draft)
      return []
    }
    return [draft.source.finding([...draft.path, key], message(first))]
  })
}
