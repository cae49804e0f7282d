import { outboundPath } from '../../domain/outbound-path.ts'
import type { Refusal } from '../../problem/refusal.ts'
import type { Moment, Words, World } from '../step.ts'
import { listed, shown, shownPath } from '../text.ts'

/** What the listener does with a request that was granted. Whether the upstream answers, and what, is not asked here. */
export function forwardWords({ before, refusal, world }: Moment): Words {
  const { route, target, preflight, inbound } = before
  if (route === undefined || target === undefined) return { input: '', says: '', rule: null }
  const input = `the route ${route.id}`
  if (refusal !== null) return { input, ...refusedWords(refusal, world) }
  if (preflight === true) return { input, says: 'the preflight is answered here with 204', rule: route.source }
  const upstream = world.upstreams.get(route.upstream ?? '')
  if (upstream === undefined) return { input, says: 'answered by the gateway itself', rule: null }
  const path = shownPath(outboundPath(target.path, route.stripPrefix))
  const as = inbound.upgrade ? 'a WebSocket' : shown(inbound.method)
  return { input, says: `goes as ${as} ${path} to ${upstream.name}: one of ${listed(upstream.targets)}`, rule: route.source }
}

function refusedWords({ code, reason }: Refusal, { pipeline, maxBodySizeSource }: World): Omit<Words, 'input'> {
  if (code === 'body-too-large')
    return {
      says: `its body is larger than the ${pipeline.maxBodySize} bytes that are let through (${reason})`,
      rule: maxBodySizeSource,
    }
  return { says: `what was granted is not served all the same (${reason})`, rule: null }
}
