import type { DraftRoute } from '../draft.ts'
import type { Finding } from '../finding.ts'
import { nearest } from '../suggestion.ts'
import { atRoute, eachRoute, type Rule } from './rule.ts'

/** Every route goes to an upstream that is declared. */
export const upstreamsDeclared: Rule = eachRoute((route, { upstreamNames }) => {
  const { upstream } = route.values
  if (upstream === undefined) {
    return route.broken.has('upstream') ? null : route.source.finding(route.path, 'names no upstream, and neither does its file')
  }
  if (upstreamNames === null || upstreamNames.has(upstream)) return null
  const message = `there is no upstream ${upstream}${known(upstream, upstreamNames)}`
  return route.inherited.has('upstream') ? atFile(route, 'upstream', message) : atRoute(route, 'upstream', message)
})

/** Every limit that a route names is declared. */
export const limitsDeclared: Rule = eachRoute((route, { limitNames }) =>
  (route.values.limits ?? []).flatMap((name, index) =>
    limitNames === null || limitNames.has(name)
      ? []
      : [route.source.finding([...route.path, 'limits', index], `there is no limit ${name}${known(name, limitNames)}`)],
  ),
)

/** A limit by address holds for every request already: naming it on a route would look like a second one. */
export const addressLimitsNotNamed: Rule = eachRoute((route, { limits }) => {
  const byAddress = new Set(limits.filter(({ values }) => values.key === 'ip').map(({ values }) => values.name))
  return (route.values.limits ?? []).flatMap((name, index) =>
    byAddress.has(name)
      ? [
          route.source.finding(
            [...route.path, 'limits', index],
            `${name} counts by address and applies to every request already; remove it here`,
          ),
        ]
      : [],
  )
})

/** Failures are counted before anybody knows a subject. */
export const failuresByAddress: Rule = ({ limits }) =>
  limits.flatMap(({ values, source, path }) =>
    values.on === 'failures' && values.key !== undefined && values.key !== 'ip'
      ? [source.finding([...path, 'key'], 'who failed is not known by subject: a limit with on: failures needs key: ip')]
      : [],
  )

/** Every role that a route asks for is declared. */
export const rolesDeclared: Rule = eachRoute((route, { roleNames }) => {
  const { require } = route.values
  if (require === undefined || require === 'any' || roleNames === null) return null
  return (require.roles ?? []).flatMap((role, index) =>
    roleNames.has(role)
      ? []
      : [route.source.finding([...route.path, 'require', 'roles', index], `there is no role ${role}${known(role, roleNames)}`)],
  )
})

/** Every permission that a route asks for is granted by some role, or nobody could ever have it. */
export const permissionsGranted: Rule = eachRoute((route, { top }) => {
  const { require } = route.values
  if (require === undefined || require === 'any' || top.values.roles === undefined) return null
  const granted = new Set(Object.values(top.values.roles).flat())
  return (require.permissions ?? []).flatMap((permission, index) =>
    granted.has(permission)
      ? []
      : [route.source.finding([...route.path, 'require', 'permissions', index], `no role grants ${permission}: nobody can pass`)],
  )
})

function atFile(route: DraftRoute, key: string, message: string): Finding {
  return route.source.finding([key], message)
}

function known(name: string, names: ReadonlySet<string>): string {
  const meant = nearest(name, [...names])
  if (meant !== null) return `; did you mean ${meant}?`
  return names.size === 0 ? '; none is declared' : `; declared are ${[...names].slice(0, 10).join(', ')}`
}
