import { planeByClaims, providersOf } from '../composition/imagined.ts'
import type { WrittenCaller } from '../config/cases.ts'
import type { Finding } from '../config/finding.ts'
import type { Gateway } from '../config/gateway.ts'
import type { Source } from '../config/source.ts'
import type { Provider } from '../domain/provider.ts'
import { claimAt, isBlank, placeClaim, textClaim } from '../stores/jose/claim-values.ts'
import { TokenRejection } from '../stores/jose/token-rejection.ts'
import { unknownName } from './unknown-name.ts'

/** What a caller of a table of cases says that its provider would never say. */
export function callerMistakes(source: Source, caller: WrittenCaller, gateway: Gateway): Finding[] {
  const { path, provider: name } = caller
  if (name === undefined) return []
  const providers = providersOf(gateway)
  const provider = providers.find((one) => one.name === name)
  if (provider === undefined) {
    const known = providers.map((one) => one.name)
    return [unknownName(source, [...path, 'provider'], 'provider', name, known)]
  }
  return [...planeMistakes(source, caller, provider), ...claimMistakes(source, caller, provider)]
}

function planeMistakes(source: Source, { path, plane, claims }: WrittenCaller, provider: Provider): Finding[] {
  const { name } = provider
  if ('fixed' in provider.plane) {
    const { fixed } = provider.plane
    if (plane === undefined || plane === fixed) return []
    return [source.finding([...path, 'plane'], `is not the plane of provider ${name}, which is ${fixed}`)]
  }
  const { claim } = provider.plane
  const decided = planeByClaims(claims, provider)
  if (decided === null && plane === undefined)
    return [source.finding(path, `provider ${name} reads the plane from the claim ${claim}: add plane: HUMAN or MACHINE`, 'key')]
  if (decided !== null && 'plane' in decided && plane !== undefined && plane !== decided.plane)
    return [source.finding([...path, 'plane'], `is not what the claim ${claim} says to provider ${name}: ${decided.plane}`)]
  return []
}

const CHECKED = 'is checked before any rule is asked, and taken as given here: leave it out'

/** Claims of which the caller has a key of its own, or none: written here they would be believed by nobody, or make the caller what it could not be. */
function claimMistakes(source: Source, { path, claims: written }: WrittenCaller, provider: Provider): Finding[] {
  const claims: Record<string, unknown> = Object.assign(Object.create(null), written)
  const { subject, scopes, roles, session } = provider.claims
  const told: readonly (readonly [name: string, sentence: string])[] = [
    ['iss', 'is the issuer of its provider: leave it out'],
    [subject, `is the subject to provider ${provider.name}: use subject:`],
    [scopes, `holds the scopes to provider ${provider.name}: use scopes:`],
    [roles, `holds the roles to provider ${provider.name}: use roles:`],
    [session, `is the session to provider ${provider.name}, and no session is revoked here: leave it out`],
    ...['aud', 'exp', 'nbf', 'iat', 'cnf', 'act', 'jti'].map((name) => [name, CHECKED] as const),
  ]
  const at = (name: string, sentence: string) => {
    const key = Object.hasOwn(written, name) ? [name] : name.split('.')
    return source.finding([...path, 'claims', ...key], sentence, 'key')
  }
  const misplaced = told.filter(([name]) => claimAt(claims, name) !== undefined).map(([name, sentence]) => at(name, sentence))
  const others = unbelievable(claims, provider).filter((name) => !told.some(([known]) => known === name))
  return [...misplaced, ...others.map((name) => at(name, `no token with it is believed: ${EXPECTED}`))]
}

const EXPECTED = 'write a text that is not empty, and no longer than 1024 characters'

/** Claims that every token may have, but not with this value. */
function unbelievable(claims: Readonly<Record<string, unknown>>, { claims: mapping, requiredClaims }: Provider): string[] {
  const { account, team } = mapping
  const refused = (check: () => unknown) => {
    try {
      check()
      return false
    } catch (error) {
      if (error instanceof TokenRejection) return true
      throw error
    }
  }
  const places = [account, team].filter((name) => refused(() => placeClaim(claims, name, 'account')))
  const texts = ['client_id', 'azp'].filter((name) => refused(() => textClaim(claims, name, 'client-id')))
  const blank = requiredClaims.filter((name) => claimAt(claims, name) !== undefined && isBlank(claimAt(claims, name)))
  return [...new Set([...places, ...texts, ...blank])]
}
