import type { CredentialShape } from '../domain/credential-shape.ts'
import type { HeaderClassifier } from '../domain/header-class.ts'
import type { Origin } from '../domain/inbound.ts'
import { stripHeaders } from '../invariants/i5-headers-stripped.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'
import { newTraceparent, receivedTraceparent } from './trace-context.ts'

/** How headers are told apart. */
export interface HeaderRules {
  readonly classifyHeader: HeaderClassifier
  readonly credentialShape: CredentialShape
}

/** The headers that an upstream receives. */
export interface OutboundHeaders {
  /** Names and values alternating. The body's length and the connection's own headers are not among them. */
  readonly headers: string[]
  /** How many headers spoke about the client's identity and were dropped (I5). */
  readonly identityHeaders: number
}

/**
 * Strips and sets in one act, for requests and WebSocket upgrades alike: what the client wrote about itself is gone before the gateway's own word
 * is added, so neither order nor spelling can leave both. `host` is the target's. Values keep the bytes they came with.
 */
export function outboundHeaders(granted: Granted, rules: HeaderRules, host: string): OutboundHeaders {
  const { inbound, route, credential } = granted.facts
  const secret = credential === null ? null : credential.secret.reveal()
  const { kept, identityHeaders } = stripHeaders(inbound.rawHeaders, rules.classifyHeader, {
    shape: rules.credentialShape,
    cookies: route.cookies,
    secret,
  })
  const traceparent = receivedTraceparent(inbound.rawHeaders)
  // A trace state without its trace belongs to nothing (W3C Trace Context section 3.3).
  if (traceparent === null) dropHeader(kept, 'tracestate')
  kept.push('host', host, 'x-request-id', inbound.requestId, 'traceparent', traceparent ?? newTraceparent())
  addOrigin(kept, inbound.origin)
  if (granted.assertion !== null) kept.push(granted.assertion.header, granted.assertion.value)
  return { headers: kept, identityHeaders }
}

function addOrigin(headers: string[], origin: Origin): void {
  const { addresses, proto, host } = origin
  if (addresses.length > 0)
    headers.push('x-forwarded-for', addresses.length === 1 ? (addresses[0] as string) : addresses.join(', '))
  headers.push('x-forwarded-proto', proto)
  if (host !== '') headers.push('x-forwarded-host', host)
  headers.push('forwarded', forwarded(origin))
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** RFC 7239 section 4: one element per address, the client's first; host and protocol are what the client used, so they stand with it. */
function forwarded({ addresses, proto, host }: Origin): string {
  const hostPart = host === '' ? '' : `;host=${TOKEN.test(host) ? host : `"${host.replace(/["\\]/g, '\\$&')}"`}`
  let value = `for=${addresses.length === 0 ? 'unknown' : node(addresses[0] as string)}${hostPart};proto=${proto}`
  for (let index = 1; index < addresses.length; index += 1) value += `, for=${node(addresses[index] as string)}`
  return value
}

/** IPv6 addresses are bracketed and therefore quoted (RFC 7239 section 6). */
function node(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address
}

function dropHeader(headers: string[], wanted: string): void {
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    const name = headers[index] as string
    if (name.length === wanted.length && name.toLowerCase() === wanted) headers.splice(index, 2)
  }
}
