import type { Provider } from '../domain/provider.ts'
import { listed, moment, shown } from './text.ts'

/** What a token says of itself. Nothing of it was verified: it explains a refusal, and is believed by nobody. */
export interface Unbelieved {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** Characters of a token that is looked into; no longer one is verified either. */
const LONGEST = 8192

/** Reads a compact token without any of the checks that a verifier makes. null: it is none. */
export function unbelieved(token: string): Unbelieved | null {
  if (token.length > LONGEST) return null
  const [header, claims, , ...more] = token.split('.')
  if (header === undefined || claims === undefined || more.length > 0) return null
  const read = [objectOf(header), objectOf(claims)]
  return read[0] && read[1] ? { header: read[0], claims: read[1] } : null
}

function objectOf(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const text = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** `alg`, `kid`, `typ` and the claims by which tokens are most often refused. */
export function unbelievedText({ header, claims }: Unbelieved, now: number): string {
  const parts: string[] = []
  for (const name of ['alg', 'kid', 'typ']) if (header[name] !== undefined) parts.push(`${name} ${valueText(header[name])}`)
  for (const name of ['iss', 'aud', 'sub', 'scope'])
    if (claims[name] !== undefined) parts.push(`${name} ${valueText(claims[name])}`)
  for (const name of ['iat', 'nbf', 'exp']) {
    const value = claims[name]
    if (typeof value === 'number') parts.push(`${name} ${moment(value * 1000, now)}`)
    else if (value !== undefined) parts.push(`${name} ${valueText(value)}`)
  }
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

/** What the provider asks of a token, in the same terms. */
export function expectedText({ name, algorithms, types, audiences, requiredClaims, plane }: Provider): string {
  const by = 'fixed' in plane ? '' : `, ${plane.claim} one of ${listed([...plane.human, ...plane.machine])}`
  return `the provider ${name} takes alg ${listed(algorithms)}, typ ${listed(types)}, aud ${listed(audiences)}, and needs ${listed(requiredClaims)}${by}`
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return value === '' ? '""' : shown(value)
  if (Array.isArray(value)) return `[${listed(value.map((item) => (typeof item === 'string' ? item : typeof item)))}]`
  return typeof value === 'object' && value !== null ? 'an object' : shown(String(value))
}
