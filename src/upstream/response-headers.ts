import { corsHeaders } from '../domain/cors.ts'
import { foldHeaderName } from '../domain/header-name.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'
import { rateLimitHeaders } from '../problem/render.ts'

/**
 * What a response header of an upstream means to the gateway. `hop` belongs to the upstream's connection, `own` is set by the gateway itself,
 * `identity` is an assertion that must not come back, `cors` is the gateway's where the route declares `cors`; `unsuited` may stand in a head but not in a trailer (RFC 9110 section 6.5.1).
 */
type ResponseHeaderClass =
  | 'plain'
  | 'hop'
  | 'connection'
  | 'trailer'
  | 'length'
  | 'own'
  | 'identity'
  | 'cache-control'
  | 'vary'
  | 'cors'
  | 'content-type'
  | 'unsuited'

const NAMES: Readonly<Partial<Record<ResponseHeaderClass, readonly string[]>>> = {
  hop: [
    'keep-alive',
    'te',
    'transfer-encoding',
    'upgrade',
    'http2-settings',
    'proxy-authenticate',
    'proxy-authentication-info',
    'proxy-connection',
    'proxy-authorization',
  ],
  connection: ['connection'],
  trailer: ['trailer'],
  length: ['content-length'],
  own: ['x-request-id'],
  identity: ['txn-token'],
  'cache-control': ['cache-control'],
  vary: ['vary'],
  'content-type': ['content-type'],
  unsuited: [
    'authorization',
    'content-encoding',
    'content-range',
    'cookie',
    'date',
    'expires',
    'host',
    'location',
    'retry-after',
    'set-cookie',
    'www-authenticate',
    'age',
    'warning',
    'max-forwards',
    'ratelimit',
    'ratelimit-policy',
  ],
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Field values (RFC 9110 section 5.5), as Latin-1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** The ordinary `Connection`, which says only what becomes of the connection. */
const NAMES_NOTHING = /^(?:keep-alive|close)$/i
const REMEMBERED = 2_000

/** A response's head, made fit for the client's connection. */
export interface ResponseHead {
  /** Names and values alternating. */
  readonly headers: string[]
  /** Whether the upstream said how long the body is. */
  readonly sized: boolean
  /** A stream of server-sent events: silence in it is no fault. */
  readonly eventStream: boolean
  /** Trailer fields that the upstream announced and that may be passed on. */
  readonly trailers: readonly string[]
}

/** Compiled once: knows the names of the gateway's own headers. */
export class ResponseHeaders {
  readonly #classes = new Map<string, ResponseHeaderClass>()
  readonly #remembered = new Map<string, ResponseHeaderClass>()
  readonly #apiKeyHeader: string

  constructor(options: { readonly identityHeader: string; readonly apiKeyHeader: string }) {
    this.#apiKeyHeader = options.apiKeyHeader
    for (const [kind, names] of Object.entries(NAMES) as [ResponseHeaderClass, readonly string[]][])
      for (const name of names) this.#classes.set(name, kind)
    this.#classes.set(foldHeaderName(options.identityHeader), 'identity')
  }

  /** Throws when a header is none (RFC 9110 section 5.1): such an answer is not passed on. `raw`: names and values alternating. */
  head(raw: readonly Buffer[], status: number, granted: Granted): ResponseHead {
    const headers: string[] = []
    let connection = ''
    let trailer = ''
    let sized = false
    let eventStream = false
    let cacheControl = false
    let vary = ''
    const { cors } = granted.facts.route
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const name = latin1(raw[index] as Buffer)
      const kind = this.#classify(name)
      if (kind === 'hop' || kind === 'own' || kind === 'identity' || (kind === 'cors' && cors !== null)) continue
      const value = latin1(raw[index + 1] as Buffer)
      if (kind === 'connection') connection += NAMES_NOTHING.test(value) ? '' : `,${value}`
      else if (kind === 'trailer') trailer += `,${value}`
      else if (kind === 'length' && status === 204) continue
      else {
        if (kind === 'length') sized = true
        else if (kind === 'cache-control') cacheControl = true
        else if (kind === 'vary') vary += `,${value}`
        else if (kind === 'content-type') eventStream = isEventStream(value)
        headers.push(name, value)
      }
    }
    if (connection !== '') dropNamed(headers, connection)
    this.#addOwn(headers, granted, cacheControl, vary)
    return { headers, sized, eventStream, trailers: trailer === '' ? [] : this.#passingTrailers(trailer) }
  }

  /** Trailer fields without those that would change what the head has already settled. */
  trailers(raw: readonly Buffer[]): string[] {
    const kept: string[] = []
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const name = latin1(raw[index] as Buffer)
      const value = latin1(raw[index + 1] as Buffer)
      if (this.#classify(name) === 'plain' && VALUE.test(value)) kept.push(name, value)
    }
    return kept
  }

  #addOwn(
    headers: string[],
    { facts: { inbound, route, principal, allowances } }: Granted,
    cacheControl: boolean,
    vary: string,
  ): void {
    headers.push('x-request-id', inbound.requestId)
    if (allowances.length > 0) {
      const limits = rateLimitHeaders(allowances)
      for (const name in limits) headers.push(name, limits[name] as string)
    }
    if (route.cors !== null) addCors(headers, corsHeaders(route.cors, inbound), vary)
    if (principal === null) return
    // What one credential was answered must not be served to another from a shared cache (RFC 9111 section 3.5).
    if (!cacheControl) headers.push('cache-control', 'private')
    const carrier = principal.kind === 'jwt' ? 'Authorization' : this.#apiKeyHeader
    if (vary === '' || !listed(vary, carrier)) headers.push('vary', carrier)
  }

  #passingTrailers(announced: string): string[] {
    return announced
      .split(',')
      .map((name) => name.trim())
      .filter((name) => TOKEN.test(name) && this.#classify(name) === 'plain')
  }

  #classify(name: string): ResponseHeaderClass {
    const known = this.#remembered.get(name)
    if (known !== undefined) return known
    if (!TOKEN.test(name)) throw new TypeError('a header of the response has no valid name')
    const folded = foldHeaderName(name)
    const kind = this.#classes.get(folded) ?? (folded.startsWith('access-control-') ? 'cors' : 'plain')
    if (this.#remembered.size < REMEMBERED) this.#remembered.set(name, kind)
    return kind
  }
}

/** Throws when a value would break out of its line. Node checks the same for heads that it writes itself. */
export function assertValues(headers: readonly string[]): void {
  for (let index = 1; index < headers.length; index += 2)
    if (!VALUE.test(headers[index] as string)) throw new TypeError('a header of the response has no valid value')
}

function latin1(buffer: Buffer): string {
  return buffer.toString('latin1')
}

function isEventStream(contentType: string): boolean {
  return contentType.length >= 17 && contentType.slice(0, 17).toLowerCase() === 'text/event-stream'
}

function addCors(headers: string[], own: Readonly<Record<string, string>>, vary: string): void {
  for (const name in own) if (name !== 'vary' || !listed(vary, 'Origin')) headers.push(name, own[name] as string)
}

function listed(list: string, wanted: string): boolean {
  const lower = wanted.toLowerCase()
  return list.split(',').some((part) => part.trim() === '*' || part.trim().toLowerCase() === lower)
}

/** Headers that `Connection` names end at this connection (RFC 9110 section 7.6.1). */
function dropNamed(headers: string[], connection: string): void {
  const names = new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
  names.delete('')
  names.delete('close')
  names.delete('keep-alive')
  // A length that the upstream calls its connection's own would leave the body without an end.
  names.delete('content-length')
  if (names.size === 0) return
  for (let index = headers.length - 2; index >= 0; index -= 2)
    if (names.has((headers[index] as string).toLowerCase())) headers.splice(index, 2)
}
