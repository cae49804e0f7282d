import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { preflightHeaders } from '../domain/cors.ts'
import type { Malformation } from '../domain/inbound.ts'
import type { Upstream } from '../domain/upstream.ts'
import { type Adjudication, adjudicate, type RefusalObserver } from '../pipeline/adjudicate.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'
import { Refusal } from '../problem/refusal.ts'
import { rateLimitHeaders } from '../problem/render.ts'
import { openExchange } from '../upstream/exchange.ts'
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
  readonly readAddress: (request: FastifyRequest['raw']) => ClientAddress
  readonly connections: Connections
}

/**
 * The one door for requests, as a hook that runs before Fastify looks at anything. Refused: answered here. Granted for an endpoint of the gateway: answered
 * here. Granted for an upstream: an exchange is opened, and only with one does the forwarder work.
 */
export function gate(options: GateOptions): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  const { pipeline, upstreams, endpoints, observe, readAddress, connections } = options
  return async (request, reply) => {
    const { raw } = request
    // An upgrade that is not made (h2c): Node's parser reads nothing behind such a request, so the connection must end with its answer.
    if (raw.headers.upgrade !== undefined) reply.raw.shouldKeepAlive = false
    const adjudication = await adjudicate(readInbound(raw, readAddress(raw), false), pipeline, observe)
    const { granted } = adjudication
    const malformed = connections.judged(raw.socket, reply.raw, adjudication)
    if (reply.raw.destroyed) {
      adjudication.abandoned()
      return reply.hijack()
    }
    if (granted === null || malformed !== null) {
      sendRefusal(raw, reply.raw, adjudication.refuse(malformed === null ? undefined : malformation(malformed)))
      return reply.hijack()
    }
    const { route } = granted.facts
    if (granted.facts.preflight) {
      answerPreflight(reply.raw, adjudication, granted)
      return reply.hijack()
    }
    const upstream = route.upstream === null ? undefined : upstreams.get(route.upstream)
    if (upstream === undefined) {
      answerHere(request, reply.raw, adjudication, endpoints.get(route.id))
      return reply.hijack()
    }
    if (connections.expectsContinue(raw)) reply.raw.writeContinue()
    openExchange(request, { granted, upstream, adjudication })
    return undefined
  }
}

/** What the parser found in a request, as a refusal. */
export function malformation(found: Malformation): Refusal {
  return Refusal.for(found)
}

function answerHere(
  { raw }: FastifyRequest,
  response: ServerResponse,
  adjudication: Adjudication,
  endpoint: Endpoint | undefined,
): void {
  if (endpoint === undefined) {
    sendRefusal(raw, response, adjudication.refuse(new Refusal('internal', 'route-without-upstream')))
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
