import type { Credential } from '../../domain/credential.ts'
import type { Evidence } from '../../domain/evidence.ts'
import { guardedPaths } from '../../domain/guarded-paths.ts'
import { outboundPath } from '../../domain/outbound-path.ts'
import { valuesOf } from '../../domain/raw-headers.ts'
import type { Route } from '../../domain/route.ts'
import { placeOf } from '../../invariants/place.ts'
import { carriersOf } from '../carriers.ts'
import type { Moment, Words, World } from '../step.ts'
import { listed } from '../text.ts'

const NOTHING: Words = { input: '', says: '', rule: null }

/** I1: how many credentials, and which one is read. */
export function readCredentialWords({ before, after, refusal, world }: Moment): Words {
  const { inbound, target, route } = before
  if (target === undefined || route === undefined) return NOTHING
  const carriers = carriersOf(inbound.rawHeaders, target, world.pipeline)
  const input = carriers.length === 0 ? 'no credential' : `a credential in ${carriers.join(', ')}`
  if (after !== null) return { input, says: readText(after, carriers.length), rule: null }
  const plane = world.sourcesOf(route)?.plane ?? route.source
  switch (refusal?.reason) {
    case 'nothing-presented':
      return { input, says: `the route is ${route.plane}: somebody has to prove who they are`, rule: plane }
    case 'not-in-its-header':
      return { input, says: `only Authorization: Bearer and ${world.pipeline.apiKeyHeader} are ever read`, rule: plane }
    case 'scheme-unsupported':
      return { input, says: 'of Authorization only the scheme Bearer is read', rule: plane }
    default:
      return { input, says: 'one request carries one credential, in its own header', rule: 'I1 no_mixed_auth' }
  }
}

function readText({ credential, route, preflight }: Evidence, carriers: number): string {
  const unread = preflight === true ? 'a preflight needs none' : `the route is ${route?.plane}: none is needed`
  if (credential === null || credential === undefined)
    return carriers === 0 ? unread : `${unread}, and what came along is taken out`
  return `${kindText(credential)} is read${route?.plane === 'PUBLIC' ? `; ${unread}, so it is not verified` : ''}`
}

function kindText({ kind }: Credential): string {
  return kind === 'jwt' ? 'a JWT' : 'an API key'
}

/** I3, I4 and the half of I2 that needs no key. */
export function matchKindWords({ before, refusal, world }: Moment): Words {
  const { target, route, credential, rival } = before
  if (target === undefined || route === undefined) return NOTHING
  const place = placeOf(target.path, route, rival ?? null, world.pipeline.declaredPlaces)
  const worker = place.worker ? whyGuarded('worker', target.path, route, rival ?? null, world) : null
  const admin = place.admin ? whyGuarded('admin', target.path, route, rival ?? null, world) : null
  const places = [worker, admin].flatMap((why) => (why === null ? [] : [why.says]))
  const what = credential ? kindText(credential) : 'no credential'
  const input = `${what} on a ${route.plane} route${places.length === 0 ? '' : `, ${places.join(', ')}`}`
  const plane = world.sourcesOf(route)?.plane ?? route.source
  switch (refusal?.code) {
    case undefined:
      return { input, says: 'this kind of credential may come here', rule: worker?.rule ?? admin?.rule ?? plane }
    case 'worker-refuses-jwt':
      return { input, says: 'worker paths take API keys only (I3 no_worker_jwt)', rule: worker?.rule ?? null }
    case 'admin-refuses-api-key':
      return { input, says: 'admin paths take no API key (I4 admin_no_api_key)', rule: admin?.rule ?? null }
    case 'plane-mismatch':
      return { input, says: `an API key is a machine's (I2 plane_match)`, rule: plane }
    case 'policy-denied':
      return { input, says: 'a PUBLIC rule opens nothing on a guarded path', rule: worker?.rule ?? admin?.rule ?? plane }
    default:
      return {
        input,
        says: `the path is another spelling of the route ${rival?.id}, which is closed more`,
        rule: rival?.source ?? null,
      }
  }
}

/** What makes the place a guarded one: the kind of the route, of the route that it would be in another spelling, or a declared path. */
function whyGuarded(kind: 'worker' | 'admin', path: string, route: Route, rival: Route | null, world: World) {
  const name = kind === 'worker' ? 'invariants.workerPaths' : 'invariants.adminPaths'
  const outgoing = outboundPath(path, route.stripPrefix)
  for (const { pattern, source } of kind === 'worker' ? world.workerPaths : world.adminPaths) {
    const guarded = guardedPaths([pattern])
    if (guarded.covers(path)) return { says: `a ${kind} path by ${name} ${pattern}`, rule: source }
    if (guarded.covers(outgoing)) return { says: `a ${kind} path upstream (${outgoing}) by ${name} ${pattern}`, rule: source }
  }
  const of = route.kind === kind || rival === null ? route : rival
  return { says: `a ${kind} path by the kind of the route ${of.id}`, rule: world.sourcesOf(of)?.kind ?? of.source }
}

/** CORS: preflights, and WebSockets that a page opens. */
export function checkOriginWords({ before, refusal, world }: Moment): Words {
  const { inbound, route } = before
  if (route === undefined) return NOTHING
  const input = `Origin ${listed(valuesOf(inbound.rawHeaders, 'origin'))}`
  if (route.cors === null) return { input, says: 'the route declares no cors: not looked at', rule: null }
  const declared = `origins ${listed(route.cors.origins)}, methods ${listed(route.cors.methods)}, headers ${listed(route.cors.headers)}`
  const rule = world.sourcesOf(route)?.cors ?? route.source
  if (refusal === null) return { input, says: `may ask: the route allows ${declared}`, rule }
  const asked = valuesOf(inbound.rawHeaders, 'access-control-request-headers')
  const method = valuesOf(inbound.rawHeaders, 'access-control-request-method')
  return {
    input: `${input}, asks for the method ${listed(method)} and the headers ${listed(asked)}`,
    says: `not allowed (${refusal.reason}): the route allows ${declared}`,
    rule,
  }
}
