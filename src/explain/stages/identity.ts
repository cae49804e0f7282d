import type { Principal } from '../../domain/credential.ts'
import type { Evidence } from '../../domain/evidence.ts'
import type { Refusal } from '../../problem/refusal.ts'
import type { Moment, Words, World } from '../step.ts'
import { listed, moment, shown, uncounted, wherever } from '../text.ts'
import { expectedText, type Unbelieved, unbelieved, unbelievedText } from '../unbelieved.ts'

/** An address that failed too often waits. */
export function refuseGuessingWords({ before, world }: Moment): Words {
  const { failureLimits } = world.pipeline
  const input = `failures of the address ${shown(before.inbound.clientAddress)}`
  const says = failureLimits.length === 0 ? 'no limit counts failures' : failureLimits.map(uncounted).join('; ')
  return { input, says, rule: wherever(failureLimits) }
}

/** Who it is, and the rest of I2. */
export function verifyWords(at: Moment): Words {
  const { before, after, refusal, world } = at
  const { credential, route } = before
  if (route?.plane === 'PUBLIC') return { input: 'a PUBLIC route', says: 'nobody has to prove who they are', rule: null }
  const now = world.pipeline.clock.now()
  const told = credential?.kind === 'jwt' ? unbelieved(credential.secret.reveal()) : null
  const provider = world.providers.find(({ issuer }) => issuer === (after?.principal?.issuer ?? told?.claims.iss))
  if (after?.principal) return { ...verifiedWords(after.principal, before, now), rule: provider?.source ?? null }
  if (refusal?.code === 'plane-mismatch')
    return {
      input: inputText(before, told, now, world),
      says: `genuine, but of the other plane (${refusal.reason}): the route is ${route?.plane} (I2 plane_match)`,
      rule: route === undefined ? null : (world.sourcesOf(route)?.plane ?? route.source),
    }
  const expected = provider === undefined ? issuersText(world, before, refusal) : expectedText(provider)
  return {
    input: inputText(before, told, now, world),
    says: `${refusal?.code === 'credential-invalid' ? 'not believed' : 'it cannot be told'} (${refusal?.reason})${expected === '' ? '' : `; ${expected}`}`,
    rule: provider?.source ?? null,
  }
}

/** Before anything is believed: what the credential says of itself. */
function inputText({ credential }: Evidence, told: Unbelieved | null, now: number, { pipeline }: World): string {
  if (!credential) return 'no credential'
  const secret = credential.secret.reveal()
  if (credential.kind === 'api-key') {
    const id = /^pgk_([a-z]+)_([0-9A-Za-z]{16})_/.exec(secret)
    return id === null ? 'an API key without a readable id' : `the API key ${id[2]} of the environment ${id[1]}`
  }
  const digest = `SHA-256 ${pipeline.digest(secret)}`
  return told === null
    ? `a JWT that cannot be taken apart (${digest})`
    : `a JWT (${digest}) that says of itself, unverified: ${unbelievedText(told, now)}`
}

function verifiedWords(principal: Principal, { route }: Evidence, now: number): Omit<Words, 'rule'> {
  const { kind, plane, actor, subject, credentialId, issuer, scopes, roles, expiresAt, session, claims } = principal
  const { aud } = claims
  const audience = aud === undefined ? '' : `, audience ${listed([aud].flat().map(String))}`
  const end = expiresAt === null ? 'no end' : `believed until ${moment(expiresAt * 1000, now)}, clock skew included`
  return {
    input:
      kind === 'jwt'
        ? `a JWT (SHA-256 ${credentialId}) of ${shown(issuer ?? '')}${audience}${session === null ? '' : ', in a session'}`
        : `the API key ${credentialId}`,
    says: `genuine: ${actor} ${shown(subject)} of the plane ${plane}, which the ${route?.plane} route takes; scopes ${listed(scopes)}; roles ${listed(roles)}; ${end}`,
  }
}

function issuersText({ providers, store }: World, { credential }: Evidence, refusal: Refusal | null): string {
  if (credential?.kind === 'api-key') return `looked up in ${store}`
  if (refusal?.reason !== 'issuer-unknown') return ''
  return `the issuers that are believed: ${listed(providers.map(({ issuer }) => issuer))}`
}

/** Whether it was withdrawn. */
export function checkRevocationWords({ before, refusal, world }: Moment): Words {
  const { principal } = before
  if (!principal) return { input: 'nobody', says: 'there is no credential that could have been revoked', rule: null }
  const { kind, credentialId, sessionDigest, tokenId, subject } = principal
  const parts = kind === 'api-key' ? [`the API key ${credentialId}`] : [`the token ${credentialId}`]
  if (kind === 'jwt') {
    if (tokenId !== null) parts.push(`its jti ${shown(tokenId)}`)
    if (sessionDigest !== null) parts.push(`its session (SHA-256 ${sessionDigest})`)
    parts.push(`its subject ${shown(subject)}`)
  }
  const input = parts.join(', ')
  if (refusal === null) return { input, says: `not revoked, by ${world.store}`, rule: null }
  if (refusal.code === 'credential-invalid')
    return { input, says: `it was revoked (${refusal.reason}), by ${world.store}`, rule: null }
  return { input, says: `it cannot be told whether it was revoked (${refusal.reason})`, rule: null }
}
