import type { Inbound } from './inbound.ts'
import { valuesOf } from './raw-headers.ts'

/** Which web pages of other origins may call a route and read its answers (Fetch standard, section 3.3 "CORS protocol"). */
export interface Cors {
  /** Origins as browsers write them, or `*` alone: any. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  /** Request headers that a page may set, beyond those that it may always set. */
  readonly headers: readonly string[]
  /** Whether a page may send its cookies and read the answer all the same. */
  readonly credentials: boolean
  /** Milliseconds for which a browser may keep the answer to a preflight. */
  readonly maxAge: number
}

/** What a page may read of an answer besides the headers that it always may. */
const EXPOSED = 'X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate'
const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

/**
 * The method that a preflight asks about (Fetch standard, section 4.8 "CORS-preflight fetch"); null: the request is none. Taken as sent: methods are
 * case-sensitive. An upgrade is none, whatever its headers say: no browser sends one with OPTIONS.
 */
export function preflightMethod({ method, upgrade, rawHeaders }: Inbound): string | null {
  if (method !== 'OPTIONS' || upgrade || originOf(rawHeaders) === null) return null
  return valuesOf(rawHeaders, 'access-control-request-method')[0] ?? null
}

/** Why a preflight is not answered with yes, as a reason for operators. */
export type PreflightFault = 'cors-origin' | 'cors-method' | 'cors-headers'

/** null: it is answered with yes. */
export function preflightFault(cors: Cors, { rawHeaders }: Inbound): PreflightFault | null {
  if (allowedOrigin(cors, rawHeaders) === null) return 'cors-origin'
  const methods = valuesOf(rawHeaders, 'access-control-request-method')
  if (!methods.every((method) => cors.methods.includes(method))) return 'cors-method'
  const declared = new Set(cors.headers.map((name) => name.toLowerCase()))
  const asked = valuesOf(rawHeaders, 'access-control-request-headers').flatMap((list) => list.split(','))
  const names = asked.map((name) => name.trim().toLowerCase()).filter((name) => name !== '')
  return names.every((name) => declared.has(name)) ? null : 'cors-headers'
}

/** Whether a page asks for a WebSocket from where none may. A client that names no origin is no page. */
export function isForeignSocket(cors: Cors, { upgrade, rawHeaders }: Inbound): boolean {
  return upgrade && originOf(rawHeaders) !== null && allowedOrigin(cors, rawHeaders) === null
}

/** Headers of the answer to a preflight without fault. Names in lower case. */
export function preflightHeaders(cors: Cors, { rawHeaders }: Inbound): Record<string, string> {
  const headers = readableBy(cors, allowedOrigin(cors, rawHeaders))
  headers['access-control-allow-methods'] = cors.methods.join(', ')
  if (cors.headers.length > 0) headers['access-control-allow-headers'] = cors.headers.join(', ')
  headers['access-control-max-age'] = String(Math.floor(cors.maxAge / 1000))
  headers.vary = PREFLIGHT_VARY
  return headers
}

/**
 * Headers of any other answer: none for an origin or a method that is not declared, except that caches are told what the answer hangs on. A preflight
 * gets nothing here, so that no refusal of one can be read as a yes.
 */
export function corsHeaders(cors: Cors, inbound: Inbound): Record<string, string> {
  const readable = cors.methods.includes(inbound.method) && preflightMethod(inbound) === null
  const headers = readableBy(cors, readable ? allowedOrigin(cors, inbound.rawHeaders) : null)
  if (headers['access-control-allow-origin'] !== undefined) headers['access-control-expose-headers'] = EXPOSED
  if (!isForAll(cors)) headers.vary = 'Origin'
  return headers
}

/** What routes allow taken together, for refusals that come before a route is known; null: none of them names an origin. */
export function unionOf(declared: readonly Cors[]): Cors | null {
  const each = declared.filter((cors) => !isForAll(cors))
  if (each.length === 0) return null
  const all = (of: (cors: Cors) => readonly string[]) => [...new Set(each.flatMap(of))]
  return {
    origins: all((cors) => cors.origins),
    methods: all((cors) => cors.methods),
    headers: [],
    credentials: each.some((cors) => cors.credentials),
    maxAge: 0,
  }
}

/** The value of `Access-Control-Allow-Origin`; null: not declared. Compared character by character: no prefix, no case, no default port. */
function allowedOrigin(cors: Cors, rawHeaders: readonly string[]): string | null {
  if (isForAll(cors)) return '*'
  const origin = originOf(rawHeaders)
  return origin !== null && cors.origins.includes(origin) ? origin : null
}

function isForAll({ origins }: Cors): boolean {
  return origins.length === 1 && origins[0] === '*'
}

function readableBy({ credentials }: Cors, origin: string | null): Record<string, string> {
  if (origin === null) return {}
  const headers = { 'access-control-allow-origin': origin }
  return credentials ? { ...headers, 'access-control-allow-credentials': 'true' } : headers
}

/** The one `Origin`; null when there is none, or more than one (such a request is malformed). */
function originOf(rawHeaders: readonly string[]): string | null {
  const origins = valuesOf(rawHeaders, 'origin')
  return origins.length === 1 ? (origins[0] as string) : null
}
