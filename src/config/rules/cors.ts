import type { Cors } from '../../domain/cors.ts'
import type { DraftRoute } from '../draft.ts'
import type { Finding } from '../finding.ts'
import { plainHttp } from '../network-values.ts'
import { eachRoute, type Rule } from './rule.ts'
import { withHead } from './uniqueness.ts'

/** Any origin may be let in only where there is nothing to steal: no credential is verified, and no cookie is sent. */
export const anyOriginIsPublic: Rule = eachRoute((route) => {
  const { cors, plane } = route.values
  const index = cors?.origins.indexOf('*') ?? -1
  if (cors === undefined || index === -1) return null
  if (cors.origins.length > 1)
    return atCors(route, ['origins', index], '* already stands for all: write it alone, or name each origin')
  if (cors.credentials)
    return atCors(route, ['credentials'], 'browsers refuse credentials together with origins: [*]; name each origin')
  if (plane === undefined || plane === 'PUBLIC') return null
  return atCors(route, ['origins', index], `* is for PUBLIC routes only, and this one is ${plane}; name each origin`)
})

/** Pages that call the gateway come over TLS: plain `http:` only on loopback, and never in production. */
export const pagesOverTls: Rule = eachRoute((route, { top }) => {
  const { environment } = top.values
  return (route.values.cors?.origins ?? []).flatMap((origin, index) => {
    const kind = plainHttp(origin)
    if (kind === 'no' || (kind === 'loopback' && environment !== 'production')) return []
    const reason = environment === 'production' ? 'is refused in production' : 'is accepted on loopback only'
    return [atCors(route, ['origins', index], `plain http: ${reason}; write https:`)]
  })
})

/** Pages are promised no method that the route does not answer. */
export const corsMethodsServed: Rule = eachRoute((route) => {
  if (route.broken.has('methods')) return null
  const served = withHead(route.values.methods)
  return (route.values.cors?.methods ?? []).flatMap((method, index) =>
    served.includes(method)
      ? []
      : [atCors(route, ['methods', index], `the route does not answer ${method}; its methods are ${served.join(', ')}`)],
  )
})

/** Lists of `cors` name nothing twice; headers are the same in any case. */
export const noRepeatedCorsEntries: Rule = eachRoute((route) =>
  (['origins', 'methods', 'headers'] as const satisfies readonly (keyof Cors)[]).flatMap((key) => {
    const list: readonly string[] = route.values.cors?.[key] ?? []
    const folded = list.map((entry) => entry.toLowerCase())
    return list.flatMap((entry, index) =>
      folded.indexOf(folded[index] ?? '') < index ? [atCors(route, [key, index], `${entry} is named twice`)] : [],
    )
  }),
)

function atCors(route: DraftRoute, path: readonly (string | number)[], message: string): Finding {
  return route.source.finding([...route.path, 'cors', ...path], message)
}
