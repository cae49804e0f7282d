import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Inbound, Malformation } from '../domain/inbound.ts'
import { type Adjudication, adjudicate } from '../pipeline/adjudicate.ts'
import { Refusal } from '../problem/refusal.ts'
import type { Exchange } from '../upstream/exchange.ts'
import { sendRefusal } from '../upstream/send-refusal.ts'
import { answerOnSocket } from './answer-on-socket.ts'
import type { Pending } from './connections.ts'
import { type GateOptions, malformation } from './gate.ts'
import { readInbound, unreadableInbound } from './read-inbound.ts'

/** Carries a granted upgrade to its upstream. */
export type Tunnel = (exchange: Exchange, request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** The door for upgrades: the same pipeline as for requests, then a tunnel. Never leaves a socket without an error listener. */
export function upgradeGate(
  options: GateOptions,
  tunnel: Tunnel,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void> {
  const { pipeline, upstreams, observe, readAddress, connections } = options
  return async (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const inbound = upgradeInbound(request, readAddress)
    if (connections.owed(socket) !== undefined) {
      // Another response still owns the socket: nothing can be answered on it any more.
      const verdict = await adjudicate(
        { ...inbound, malformed: { code: 'request-malformed', reason: 'pipelined-upgrade' } },
        pipeline,
        observe,
      )
      verdict.refuse()
      socket.destroy()
      return
    }
    const adjudication = await adjudicate(inbound, pipeline, observe)
    if (socket.destroyed) {
      adjudication.abandoned()
      return
    }
    const exchange = exchangeFor(adjudication, upstreams)
    connections.upgraded(socket)
    if (connections.draining) answerOnSocket(socket, adjudication.refuse(new Refusal('overloaded', 'gateway-stopping')))
    else if (exchange === null) answerOnSocket(socket, adjudication.refuse(upgradeOfEndpoint()))
    else tunnel(exchange, request, socket, head)
  }
}

/** An upgrade as the pipeline sees it. */
export function upgradeInbound(request: IncomingMessage, readAddress: GateOptions['readAddress']): Inbound {
  const inbound = readInbound(request, readAddress(request), true)
  return withoutBody(request) ? inbound : { ...inbound, malformed: UPGRADE_WITH_BODY }
}

/** The gateway's own endpoints speak HTTP only. Known after the decision, when nothing but an upstream could take the socket. */
export function upgradeOfEndpoint(): Refusal {
  return new Refusal('request-malformed', 'upgrade-of-an-endpoint')
}

const UPGRADE_WITH_BODY: Malformation = { code: 'request-malformed', reason: 'upgrade-with-body' }

function exchangeFor(adjudication: Adjudication, upstreams: GateOptions['upstreams']): Exchange | null {
  const { granted } = adjudication
  const upstream = granted?.facts.route.upstream ? upstreams.get(granted.facts.route.upstream) : undefined
  return granted === null || upstream === undefined ? null : { granted, upstream, adjudication }
}

/** What follows an upgrade's head belongs to the new protocol; a declared body would be read by one side as the one, by the other as the other. */
function withoutBody({ headers }: IncomingMessage): boolean {
  return (
    headers['transfer-encoding'] === undefined && (headers['content-length'] === undefined || headers['content-length'] === '0')
  )
}

/** The door for CONNECT: planegate is no forward proxy; refused by the same pipeline, recorded like everything else. */
export function connectGate(options: GateOptions): (request: IncomingMessage, socket: Duplex) => Promise<void> {
  return async (request, socket) => {
    socket.on('error', () => socket.destroy())
    const inbound = connectInbound(request, options.readAddress)
    answerOnSocket(socket, (await adjudicate(inbound, options.pipeline, options.observe)).refuse())
  }
}

/** A CONNECT as the pipeline sees it: malformed, whatever it asks for. */
export function connectInbound(request: IncomingMessage, readAddress: GateOptions['readAddress']): Inbound {
  return { ...readInbound(request, readAddress(request), false), malformed: CONNECT }
}

const CONNECT: Malformation = { code: 'request-malformed', reason: 'connect-not-served' }

/** What Node's parser gave up on, by its error code; anything else is `request-malformed`. */
const PARSER_ERRORS: Readonly<Record<string, Malformation>> = {
  HPE_INVALID_EOF_STATE: { code: 'request-malformed', reason: 'incomplete' },
  HPE_HEADER_OVERFLOW: { code: 'headers-too-large', reason: 'header-overflow' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request-timeout', reason: 'request-timeout' },
}

/** What the parser's error code means for a request. */
export function malformationBy(code: string): Malformation {
  return PARSER_ERRORS[code] ?? { code: 'request-malformed', reason: 'parser-error' }
}

const CONNECTION_LOST = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT'])

/** The door for heads and bodies that the parser could not read. The error's raw bytes may hold a credential: they are neither logged nor kept. */
export function brokenRequestGate(options: GateOptions): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  const { connections } = options
  return ({ code = '' }, socket) => {
    const malformed = malformationBy(code)
    // Whatever else comes on such a connection is dropped: the parser has lost its place.
    if (!connections.broke(socket)) return
    const incomplete = connections.incomplete(socket)
    if (CONNECTION_LOST.has(code) || !socket.writable) socket.destroy()
    else if (incomplete !== undefined) refuseIncomplete(incomplete, socket, malformed)
    else refuseUnread(options, socket, malformed).catch(() => socket.destroy())
  }
}

/** The head was read and judged, or is being judged: the request has its own answer, unless that has begun already. */
function refuseIncomplete(pending: Pending, socket: Duplex, malformed: Malformation): void {
  const { response, adjudication } = pending
  if (adjudication === null) pending.malformed = malformed
  else if (adjudication.concluded) socket.destroy()
  else sendRefusal(response.req, response, adjudication.refuse(malformation(malformed)))
}

/** Nothing of the request could be read. Those before it on the connection are answered first, and are not to blame. */
async function refuseUnread(
  { pipeline, observe, connections }: GateOptions,
  socket: Duplex,
  malformed: Malformation,
): Promise<void> {
  const address = (socket as Duplex & { remoteAddress?: string }).remoteAddress ?? ''
  await connections.settled(socket)
  const adjudication = await adjudicate(unreadableInbound(address.replace(/^::ffff:/i, ''), malformed), pipeline, observe)
  answerOnSocket(socket, adjudication.refuse())
}
