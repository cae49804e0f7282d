import type { Draft, DraftRoute, Salvaged } from '../draft.ts'
import type { Finding } from '../finding.ts'
import { listeningOrigin } from '../network-values.ts'
import { atRoute, eachRoute, nameOf, type Rule } from './rule.ts'

/** What the development issuer is called, and where its issuer lies below the public origin. */
const DEVELOPMENT_PROVIDER = 'development'
/** Of the metrics of requests that no route took. */
const NO_ROUTE = 'none'
/** The router keeps the hosts of one path in one machine word. */
const MOST_HOSTS = 31

/** Route ids are unique over all files. */
export const uniqueRouteIds: Rule = (draft) =>
  repeated(draft.routes, 'id', (first) => `is already the id of ${nameOf(first as DraftRoute)}`)

/** No route is called what metrics call the absence of one. */
export const routeIdFree: Rule = eachRoute((route) =>
  route.values.id === NO_ROUTE ? atRoute(route, 'id', 'is what metrics call a request without a route; choose another id') : null,
)

/** Provider names are unique. */
export const uniqueProviderNames: Rule = (draft) =>
  repeated(draft.providers, 'name', () => 'is already the name of another provider')

/** One issuer has one provider: a token is matched by its `iss` alone. */
export const uniqueIssuers: Rule = (draft) =>
  repeated(draft.providers, 'issuer', (first) => {
    const name = (first.values as Draft['providers'][number]['values']).name
    return `is already the issuer of provider ${name ?? 'above'}; two providers cannot share one`
  })

/** The development issuer is a provider like any other, so nobody else has its name or its issuer. */
export const developmentIssuerAlone: Rule = ({ source, top, sections, providers }) => {
  if (sections.development.values.issuer !== true) return []
  const { host, port } = sections.server.values
  const origin = top.values.publicOrigin ?? (host === undefined || port === undefined ? null : listeningOrigin({ host, port }))
  return providers.flatMap(({ path, values }) => {
    const findings: Finding[] = []
    if (values.name === DEVELOPMENT_PROVIDER)
      findings.push(source.finding([...path, 'name'], 'is the name of the development issuer; choose another name'))
    if (origin !== null && values.issuer === `${origin}/${DEVELOPMENT_PROVIDER}`)
      findings.push(
        source.finding([...path, 'issuer'], 'is the issuer of development tokens; remove the provider, or development.issuer'),
      )
    return findings
  })
}

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

/** The router tells at most 31 hosts apart on one path and method, whatever its case; a route for any host counts as one. */
export const hostsCountable: Rule = (draft) => {
  const known = new Map<string, Set<string>>()
  return draft.routes.flatMap((route) => {
    for (const { shape, method, host } of claimsOf(route)) {
      const place = `${method} ${shape.toLowerCase().replace(/(?<=.)\/$/, '')}`
      const hosts = known.get(place) ?? new Set()
      known.set(place, hosts)
      if (hosts.size === MOST_HOSTS && !hosts.has(host)) {
        const message = `more than ${MOST_HOSTS} hosts answer ${method} on this path; write one wildcard such as *.example.com for many`
        return [atRoute(route, 'hosts', message)]
      }
      hosts.add(host)
    }
    return []
  })
}

function claimsOf(route: DraftRoute): { key: string; shape: string; method: string; host: string }[] {
  const { path, hosts, methods } = route.values
  if (path === undefined || hosts === undefined || route.broken.has('methods')) return []
  const shape = path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? ':' : segment))
    .join('/')
  const all = hosts.length === 0 ? [''] : hosts
  return all.flatMap((host) => withHead(methods).map((method) => ({ key: `${method} ${host} ${shape}`, shape, method, host })))
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
