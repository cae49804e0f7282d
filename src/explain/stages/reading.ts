import { preflightMethod } from '../../domain/cors.ts'
import type { Inbound, Target } from '../../domain/inbound.ts'
import { valuesOf } from '../../domain/raw-headers.ts'
import type { Route } from '../../domain/route.ts'
import { nearestRoutes } from '../nearest-routes.ts'
import type { Moment, Words, World } from '../step.ts'
import { listed, moment, shown, shownPath, uncounted, wherever } from '../text.ts'

/** Who asks, and the limits that every request takes from. */
export function takeAddressAllowanceWords({ before, world }: Moment): Words {
  const { clientAddress, origin } = before.inbound
  const way = origin.addresses.filter((address) => address !== clientAddress)
  const { addressLimits } = world.pipeline
  return {
    input: `the address ${shown(clientAddress)}${way.length > 0 ? `, as reported by ${listed(way)}, which is trusted` : ''}`,
    says: addressLimits.length === 0 ? 'no limit counts by address' : addressLimits.map(uncounted).join('; '),
    rule: wherever(addressLimits),
  }
}

/** Whether the request can be read in one way only. */
export function refuseAmbiguityWords({ before, after, refusal, world }: Moment): Words {
  const { inbound } = before
  return {
    input: requestLine(inbound),
    says:
      after?.target === undefined
        ? unreadable(inbound, refusal?.reason ?? '')
        : `one reading: the path ${shownPath(after.target.path)} on ${hostOf(after.target)}`,
    rule: refusal?.code === 'body-too-large' ? world.maxBodySizeSource : null,
  }
}

function unreadable({ malformed, target }: Inbound, reason: string): string {
  if (malformed !== null && target === '') return `the parser gave the request up before its head was whole (${reason})`
  return `it cannot be read in one way only (${reason})`
}

function requestLine({ method, target, httpVersion, rawHeaders, upgrade }: Inbound): string {
  if (method === '' && target === '') return 'no whole head of a request'
  const hosts = valuesOf(rawHeaders, 'host')
  const [path = '', ...query] = target.split('?')
  const parts = [`${shown(method)} ${shownPath(path)}${query.length > 0 ? ' with a query' : ''}, HTTP/${httpVersion}`]
  parts.push(hosts.length === 0 ? 'no Host' : `Host ${listed(hosts)}`)
  if (upgrade) parts.push('to become a WebSocket')
  return parts.join(', ')
}

function hostOf({ host }: Target): string {
  return host === '' ? 'no host' : `the host ${shown(host)}`
}

/** Which rule serves it. */
export function matchRouteWords({ before, after, refusal, world }: Moment): Words {
  const { inbound, target } = before
  if (target === undefined) return { input: '', says: '', rule: null }
  const intended = preflightMethod(inbound)
  const asked = intended === null ? '' : ` (a browser asks whether a page may send ${shown(intended)})`
  const input = `${shown(inbound.method)} ${shownPath(target.path)} on ${hostOf(target)}${asked}`
  if (after?.route === undefined) return { input, ...noRoute(inbound, target, refusal?.reason, world) }
  const { route, rival, preflight } = after
  const says = [routeText(route)]
  if (preflight === true) says.push('a preflight: it is answered here, whoever asks')
  if (rival) says.push(`in another spelling the path would be the route ${rival.id} (${rival.source}), which is closed more`)
  return { input, says: says.join('; '), rule: route.source }
}

function noRoute(inbound: Inbound, target: Target, reason: string | undefined, world: World): Omit<Words, 'input'> {
  const { routes, clock } = world.pipeline
  if (reason === 'route-expired') {
    const route = routes.find(preflightMethod(inbound) ?? inbound.method, target) ?? routes.find(inbound.method, target)
    const says = `the route ${route?.id} no longer holds: it ended ${moment(route?.expiresAt ?? 0, clock.now())}`
    return { says, rule: route === null ? null : (world.sourcesOf(route)?.expires ?? route.source) }
  }
  if (reason === 'other-methods-only') {
    const others = routes.methodsFor(target).flatMap((method) => routes.find(method, target) ?? [])
    const distinct = [...new Set(others)]
    const says = distinct.map((route) => `${route.id} is for ${route.methods.join(', ')}`).join('; ')
    return { says: `no route has this method here: ${says}`, rule: wherever(distinct) }
  }
  const near = nearestRoutes(target.path, world.routes)
  const hint = near.map(({ id, methods, path, source }) => `${id}: ${methods.join(',')} ${path} (${source})`).join('; ')
  return { says: hint === '' ? 'no route is declared for it' : `no route is declared for it; the nearest: ${hint}`, rule: null }
}

function routeText({ id, plane, kind, path, upstream }: Route): string {
  const to = upstream === null ? 'answered by the gateway itself' : `to the upstream ${upstream}`
  return `the route ${id}, ${path}: ${plane}${kind === 'user' ? '' : `, kind ${kind}`}, ${to}`
}
