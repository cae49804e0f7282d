import { outboundPath } from '../domain/outbound-path.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'

/** Path and query as the upstream receives them: the path that was matched, less the route's prefix, and the query byte for byte. */
export function outboundTarget({ facts: { target, route } }: Granted): string {
  const path = outboundPath(target.path, route.stripPrefix)
  return target.query === '' ? path : `${path}?${target.query}`
}
