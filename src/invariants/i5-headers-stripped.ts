import type { CredentialShape } from '../domain/credential-shape.ts'
import type { HeaderClassifier } from '../domain/header-class.ts'

/** What is left of a client's headers for an upstream. */
export interface StrippedHeaders {
  /** Names and values alternating. */
  readonly kept: string[]
  /** How many headers spoke about the client's identity and were dropped. */
  readonly identityHeaders: number
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Cookie octets (RFC 6265 section 4.1.1), quoted or not: what some server could read as a second cookie is none. */
const COOKIE_VALUE = /^(?:[!#-+\--:<-[\]-~]*|"[!#-+\--:<-[\]-~]*")$/

/** What stripping needs to know besides the headers. */
export interface StripOptions {
  readonly shape: CredentialShape
  /** Names of the cookies that stay. */
  readonly cookies: readonly string[]
  /** The presented credential; null: none. */
  readonly secret: string | null
}

/**
 * I5 `headers_stripped`: no client credential and no client-written identity header reaches an upstream, in any spelling.
 *
 * Everything is dropped that is not `plain`: credentials, identity, forwarding and routing headers, connection headers and what `Connection`
 * names, framing. A plain header that repeats the presented credential, or holds an API key or a token of a trusted issuer, goes as well. Of the cookies only those in
 * `cookies` stay. What a header is replaced by is set by the caller, in the same array, after this.
 */
export function stripHeaders(rawHeaders: readonly string[], classify: HeaderClassifier, options: StripOptions): StrippedHeaders {
  const kept: string[] = []
  let identityHeaders = 0
  const named = connectionNames(rawHeaders, classify)
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const value = rawHeaders[index + 1] as string
    const kind = classify(name)
    if (kind === 'plain') {
      if (named?.has(name.toLowerCase()) || holdsCredential(value, options)) continue
      kept.push(name, value)
    } else if (kind === 'identity') {
      identityHeaders += 1
    } else if (kind === 'cookie' && options.cookies.length > 0 && name.toLowerCase() === 'cookie') {
      const cookies = keptCookies(value, options)
      if (cookies !== '') kept.push('cookie', cookies)
    }
  }
  return { kept, identityHeaders }
}

/** Names that `Connection` lists (RFC 9110 section 7.6.1), in lower case; null in the ordinary case that there are none. */
function connectionNames(rawHeaders: readonly string[], classify: HeaderClassifier): Set<string> | null {
  let names: Set<string> | null = null
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (classify(rawHeaders[index] as string) !== 'connection') continue
    for (const part of (rawHeaders[index + 1] as string).split(',')) {
      const name = part.trim().toLowerCase()
      if (!TOKEN.test(name) || name === 'keep-alive' || name === 'close' || name === 'upgrade') continue
      names ??= new Set()
      names.add(name)
    }
  }
  return names
}

function keptCookies(value: string, options: StripOptions): string {
  return value
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => isKeptCookie(pair, options))
    .join('; ')
}

function isKeptCookie(pair: string, options: StripOptions): boolean {
  const equals = pair.indexOf('=')
  if (equals <= 0 || !options.cookies.includes(pair.slice(0, equals))) return false
  return COOKIE_VALUE.test(pair.slice(equals + 1)) && !holdsCredential(pair, options)
}

function holdsCredential(value: string, { shape, secret }: StripOptions): boolean {
  if (shape.isIn(value)) return true
  return secret !== null && secret !== '' && value.length >= secret.length && value.includes(secret)
}
