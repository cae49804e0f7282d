import type { IncomingMessage, ServerResponse } from 'node:http'
import { preflightHeaders } from '../domain/cors.ts'
import type { Malformation } from '../domain/inbound.ts'
import type { Upstream } from '../domain/upstream.ts'
import { type Adjudication, adjudicate, type RefusalObserver } from '../pipeline/adjudicate.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'
import { Refusal } from '../problem/refusal.ts'
import { rateLimitHeaders } from '../problem/render.ts'
import type { Exchange } from '../upstream/exchange.ts'
import { sendRefusal } from '../upstream/send-refusal.ts'
import type { ClientAddress } from './client-address.ts'
import type { Connections } from './connections.ts'
import type { Endpoint } from './endpoints.ts'
import { readInbound } from './read-inbound.ts'

/** What every way into the gateway shares: a request, an upgrade, and a head that could not be parsed. */
export interface GateOptions {
  readonly pipeline: Pipeline
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly endpoints: ReadonlyMap<string, Endpoint>
  readonly observe: RefusalObserver
  readonly readAddress: (request: IncomingMessage) => ClientAddress
  readonly connections: Connections
}

/** Carries a granted request to its upstream, and answers it in any case. */
export type Forward = (exchange: Exchange, request: IncomingMessage, response: ServerResponse) => void

/**
 * The one door for requests. Refused: answered here. Granted for an endpoint of the gateway: answered here. Granted for an upstream: forwarded. Fastify's
 * router is not asked: for what it does here, which is nothing, it takes about as long as the decision.
 */
export function gate(options: GateOptions, forward: Forward): (request: IncomingMessage, response: ServerResponse) => void {
  const { pipeline, upstreams, endpoints, observe, readAddress, connections } = options
  return async (request, response) => {
    connections.began(request, response)
    // An upgrade that is not made (h2c): Node's parser reads nothing behind such a request, so the connection must end with its answer.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false
    const adjudication = await adjudicate(readInbound(request, readAddress(request), false), pipeline, observe)
    try {
      const { granted } = adjudication
      const malformed = connections.judged(request.socket, response, adjudication)
      if (response.destroyed) adjudication.abandoned()
      else if (malformed !== null) sendRefusal(request, response, adjudication.refuse(malformation(malformed)))
      else if (granted === null) sendRefusal(request, response, adjudication.refuse())
      else if (granted.facts.preflight) answerPreflight(response, adjudication, granted)
      else {
        const { route } = granted.facts
        const upstream = route.upstream === null ? undefined : upstreams.get(route.upstream)
        if (upstream === undefined) answerHere(request, response, adjudication, endpoints.get(route.id))
        else {
          if (connections.expectsContinue(request)) response.writeContinue()
          forward({ granted, upstream, adjudication }, request, response)
        }
      }
    } catch (error) {
      sendRefusal(request, response, adjudication.refuse(error))
    }
  }
}

/** What the parser found in a request, as a refusal. */
export function malformation(found: Malformation): Refusal {
  return Refusal.for(found)
}

function answerHere(
  request: IncomingMessage,
  response: ServerResponse,
  adjudication: Adjudication,
  endpoint: Endpoint | undefined,
): void {
  if (endpoint === undefined) {
    sendRefusal(request, response, adjudication.refuse(new Refusal('internal', 'route-without-upstream')))
    return
  }
  const { status, contentType, cacheControl, body } = endpoint.answer()
  const facts = adjudication.granted?.facts
  adjudication.answered(status)
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': cacheControl,
    'x-request-id': facts?.inbound.requestId ?? '',
    ...rateLimitHeaders(facts?.allowances ?? []),
  })
  response.end(body)
}

/** A browser may send what it asked about. The upstream hears nothing of it. */
function answerPreflight(response: ServerResponse, adjudication: Adjudication, { facts }: Granted): void {
  const { route, inbound, allowances } = facts
  adjudication.answered(204)
  response.writeHead(204, {
    'x-request-id': inbound.requestId,
    ...rateLimitHeaders(allowances),
    ...(route.cors === null ? {} : preflightHeaders(route.cors, inbound)),
  })
  response.end()
}
