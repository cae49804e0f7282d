import type { Draft } from '../draft.ts'
import { atRoute, eachRoute, type Rule } from './rule.ts'

/** No route takes a path that the gateway answers itself. A wildcard above it is fine: the gateway's own path is more specific. */
export const gatewayPathsFree: Rule = eachRoute((route, draft) => {
  const { path } = route.values
  if (path === undefined || !gatewayPaths(draft).includes(path)) return null
  return atRoute(route, 'path', 'is answered by the gateway itself; choose another path')
})

/** Paths that the gateway serves on its public listener as configured. */
function gatewayPaths({ sections }: Draft): string[] {
  const paths = ['/.well-known/jwks.json']
  if (sections.providerStatus.values.exposure === 'public') paths.push('/auth/provider/status')
  if (sections.development.values.issuer === true) paths.push('/.well-known/development-jwks.json')
  return paths
}

/** What is stripped stands at the front of the path, in whole segments. */
export const prefixIsPrefix: Rule = eachRoute((route) => {
  const { path, stripPrefix } = route.values
  if (path === undefined || stripPrefix === undefined) return null
  if (path === stripPrefix || path.startsWith(`${stripPrefix}/`)) return null
  return atRoute(route, 'stripPrefix', `is not the start of ${path} in whole segments, so nothing would be stripped`)
})
