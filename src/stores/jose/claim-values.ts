import { TokenRejection } from './token-rejection.ts'

type Claims = Readonly<Record<string, unknown>>
/** What a text claim is for; begins the reason of a refusal. */
type TextMeaning = 'subject' | 'session' | 'token-id' | 'account' | 'team' | 'client-id'

/** Characters of a text claim that becomes part of a principal. Longer ones would be carried through every request of the session. */
const MAX_TEXT = 1024
/** scope-token of RFC 6749 section 3.3: a scope with a space in it would become two scopes in the assertion. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/
const MAX_VALUES = 1000
/** End of the year 9999, in seconds. */
const LATEST = 253_402_300_799

/**
 * The claim of that literal name; if there is none and the name has dots, the member at the end of that path through objects
 * (`realm_access.roles`). undefined: absent. The claims must come from `parseStrictJson`, whose objects inherit nothing.
 */
export function claimAt(claims: Claims, name: string): unknown {
  if (name in claims || !name.includes('.')) return claims[name]
  let value: unknown = claims
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = (value as Claims)[step]
  }
  return value
}

/** A claim that must be text, not empty and of bounded length, if it is there at all. */
export function textClaim(claims: Claims, name: string, what: TextMeaning): string | null {
  const value = claimAt(claims, name)
  return value === undefined ? null : boundedText(value, what)
}

/**
 * The same for a claim that says where a principal belongs: null counts as absent. Issuers fill it from a template that gives null for
 * users without an account, and nobody gains a right by having none.
 */
export function placeClaim(claims: Claims, name: string, what: TextMeaning): string | null {
  const value = claimAt(claims, name) ?? null
  return value === null ? null : boundedText(value, what)
}

function boundedText(value: unknown, what: TextMeaning): string {
  if (typeof value !== 'string') throw new TokenRejection(`${what}-not-text`)
  if (value === '') throw new TokenRejection(`${what}-empty`)
  if (value.length > MAX_TEXT) throw new TokenRejection(`${what}-too-long`)
  return value
}

/** A point in time in seconds since the epoch (NumericDate, RFC 7519 section 2), fractions allowed; null: absent. */
export function timeClaim(claims: Claims, name: 'nbf' | 'iat'): number | null {
  const value = claims[name]
  if (value === undefined) return null
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TokenRejection(`${name}-not-a-time`)
  return value
}

/** `exp`: must be there and a whole number of seconds before the year 10000. */
export function expiryClaim(claims: Claims): number {
  const { exp } = claims
  if (exp === undefined) throw new TokenRejection('exp-missing')
  if (!Number.isSafeInteger(exp) || (exp as number) > LATEST) throw new TokenRejection('exp-not-a-time')
  return exp as number
}

/**
 * Lists of scopes by the text they were written in. Most sessions of an issuer have one of a few such texts, and a list of its own would
 * be a fifth of what a session takes in memory. Only tokens with a genuine signature get here; full, it starts afresh.
 */
const sharedScopes = new Map<string, readonly string[]>()
const MAX_SHARED = 1000

/** Scopes: one text with spaces between them (RFC 8693 section 4.2) or a list; null counts as none. */
export function scopesClaim(claims: Claims, name: string): readonly string[] {
  const value = claimAt(claims, name) ?? null
  if (value === null) return NONE
  if (typeof value !== 'string') return checkedScopes(value)
  const shared = sharedScopes.get(value)
  if (shared !== undefined) return shared
  const scopes = checkedScopes(value.split(' ').filter((scope) => scope !== ''))
  if (sharedScopes.size >= MAX_SHARED) sharedScopes.clear()
  sharedScopes.set(value, scopes)
  return scopes
}

function checkedScopes(scopes: unknown): readonly string[] {
  if (!isTextList(scopes) || !scopes.every((scope) => SCOPE.test(scope))) throw new TokenRejection('scopes-invalid')
  return Object.freeze(scopes)
}

/** Roles: a list of texts, or one; null counts as none. */
export function rolesClaim(claims: Claims, name: string): readonly string[] {
  const value = claimAt(claims, name) ?? null
  if (value === null) return NONE
  const roles = typeof value === 'string' ? [value] : value
  if (!isTextList(roles) || roles.includes('')) throw new TokenRejection('roles-invalid')
  return Object.freeze(roles)
}

/** Whether a claim says nothing: absent, null, or empty text, list or object. */
export function isBlank(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** `aud` (RFC 7519 section 4.1.3): one text or a list of texts. */
export function audienceClaim(claims: Claims): readonly string[] {
  const { aud } = claims
  if (aud === undefined) throw new TokenRejection('audience-missing')
  const audiences = typeof aud === 'string' ? [aud] : aud
  if (!isTextList(audiences)) throw new TokenRejection('audience-invalid')
  return audiences
}

const NONE: readonly string[] = Object.freeze([])

function isTextList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_VALUES &&
    value.every((item) => typeof item === 'string' && item.length <= MAX_TEXT)
  )
}
