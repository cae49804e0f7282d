import type { Principal } from '../../domain/credential.ts'
import type { Requirement } from '../../domain/route.ts'
import type { Pipeline } from '../../pipeline/pipeline.ts'
import type { Moment, Words } from '../step.ts'
import { listed, shown, uncounted, wherever } from '../text.ts'

/** The limits that the route names. */
export function takeAllowancesWords({ before, refusal, world }: Moment): Words {
  const { route, principal } = before
  const names = route?.limits ?? []
  if (!principal) return { input: 'nobody', says: 'no limit counts by subject', rule: null }
  const limits = names.flatMap((name) => world.pipeline.limits.get(name) ?? [])
  const input = `${principal.actor} ${shown(principal.subject)} at ${shown(before.inbound.clientAddress)}`
  if (refusal !== null) return { input, says: `it cannot be told (${refusal.reason})`, rule: route?.source ?? null }
  const says = limits.length === 0 ? 'the route names no limit' : limits.map(uncounted).join('; ')
  return { input, says, rule: wherever(limits) }
}

/** Identity is not authorization. */
export function authorizeWords({ before, refusal, world }: Moment): Words {
  const { route, principal } = before
  if (!principal || route === undefined) return { input: 'nobody', says: 'a PUBLIC route asks for nothing', rule: null }
  const rule = world.sourcesOf(route)?.require ?? route.source
  const { scopes, roles, actor, plane } = principal
  const input = `${actor} of the plane ${plane} with the scopes ${listed(scopes)} and the roles ${listed(roles)}`
  if (route.require === null) return { input, says: 'any verified actor of the plane may', rule }
  const parts = requirements(route.require, principal, world.pipeline.roles)
  return {
    input,
    says: `${refusal === null ? 'has all that is asked for' : `refused for ${refusal.reason}`}: ${parts.join('; ')}`,
    rule,
  }
}

/** Every part of a requirement and what the caller has of it. */
function requirements(require: Requirement, principal: Principal, roles: Pipeline['roles']): string[] {
  const granted = new Set(principal.roles.flatMap((role) => [...(roles.get(role) ?? [])]))
  const parts: string[] = []
  const all = (what: string, wanted: readonly string[], held: readonly string[]) => {
    const missing = wanted.filter((one) => !held.includes(one))
    if (wanted.length > 0)
      parts.push(`${what} ${listed(wanted)}: ${missing.length === 0 ? 'held' : `missing ${listed(missing)}`}`)
  }
  const any = (what: string, wanted: readonly string[], held: readonly string[]) => {
    const found = wanted.filter((one) => held.includes(one))
    if (wanted.length > 0) parts.push(`${what} ${listed(wanted)}: ${found.length === 0 ? 'none held' : `has ${listed(found)}`}`)
  }
  all('scopes', require.scopes, principal.scopes)
  any('one scope of', require.anyScope, principal.scopes)
  any('one role of', require.roles, principal.roles)
  all('permissions', require.permissions, [...granted])
  any('an actor of', require.actors, [principal.actor])
  for (const [name, wanted] of Object.entries(require.claims)) {
    const held = Object.hasOwn(principal.claims, name) ? JSON.stringify(principal.claims[name]) : undefined
    parts.push(
      `the claim ${name} exactly ${shown(JSON.stringify(wanted))}: ${held === undefined ? 'not there' : `is ${shown(held)}`}`,
    )
  }
  return parts
}

/** The identity that the upstream gets. */
export function vouchWords({ before, refusal, world }: Moment): Words {
  const { route, principal } = before
  if (!principal) return { input: 'nobody', says: 'nobody is vouched for on a PUBLIC route', rule: null }
  const upstream = world.upstreams.get(route?.upstream ?? '')
  const input = `${principal.actor} ${shown(principal.subject)} for the upstream ${route?.upstream}`
  if (refusal !== null) return { input, says: `no identity could be signed (${refusal.reason})`, rule: null }
  return { input, says: `an identity is signed for the audience ${upstream?.audience}`, rule: null }
}
