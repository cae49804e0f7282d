import { type IncomingMessage, METHODS, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import httpProxy, { type FastifyHttpProxyOptions } from '@fastify/http-proxy'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Upstream } from '../domain/upstream.ts'
import type { Meter } from '../ports/meter.ts'
import { type Exchange, exchangeOf, openExchange } from './exchange.ts'
import { HttpRelay, hasBody, type PluginCallback } from './http-relay.ts'
import { OpenStreams, type OpenStreamsOptions } from './open-streams.ts'
import type { HeaderRules } from './outbound-headers.ts'
import { ResponseHeaders } from './response-headers.ts'
import { sendRefusal } from './send-refusal.ts'
import { StallWatch } from './stall-watch.ts'
import { TargetSet } from './targets.ts'
import type { Tunnel } from './tunnel.ts'
import { Tunnels } from './tunnels.ts'
import type { CallContext } from './upstream-call.ts'

export interface ForwardingOptions {
  readonly upstreams: readonly Upstream[]
  readonly headerRules: HeaderRules
  /** As configured. */
  readonly apiKeyHeader: string
  /** Header of the assertion, as configured. */
  readonly identityHeader: string
  /** Bytes. */
  readonly maxBodySize: number
  readonly meter: Meter
  /** How what stays open is looked after. */
  readonly streams: OpenStreamsOptions
  /** Requests that may wait for a connection to one target; beyond it they are refused. 16384 when absent. */
  readonly waiting?: number
  /** Certificate authorities (PEM) that upstreams' certificates may also come from. */
  readonly ca?: string | readonly string[]
}

/** What happens after "allow". */
export interface Forwarding {
  /** Carries a granted request, and answers it in any case. */
  readonly forward: (exchange: Exchange, request: IncomingMessage, response: ServerResponse) => void
  /** Carries a granted upgrade, and answers it in any case. The socket is the tunnel's from here on. */
  readonly tunnel: (exchange: Exchange, request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** The WebSockets that are open now. */
  readonly tunnels: ReadonlySet<Tunnel>
  /** WebSockets and event streams of which somebody may still be told something. */
  readonly streams: OpenStreams
  /** Sends every open WebSocket away (1001) and ends every event stream; other requests in flight go on. */
  drain(): void
  /** Cuts what is still open. The listener's own close does the same. */
  close(): Promise<void>
}

/** A name that resolves nowhere: were the dispatcher ever bypassed, the request would go nowhere. */
const NOWHERE = 'http://upstream.invalid'
const relayKey = Symbol('relay')

interface Carrying {
  [relayKey]: HttpRelay | null
}

/**
 * What goes on behind the gate. Requests with a body pass through `@fastify/http-proxy`, on the one route that the listener rewrites every request to; those without, which
 * have no use for what it does, do not: it takes about as long as forwarding them does.
 */
export function registerForwarding(fastify: FastifyInstance, options: ForwardingOptions): Forwarding {
  const targets = new Map(options.upstreams.map((upstream) => [upstream.name, new TargetSet(upstream, targetOptions(options))]))
  const watch = new StallWatch(watchPeriod(options.upstreams))
  const { headerRules, maxBodySize, meter } = options
  const streams = new OpenStreams(options.streams)
  const context: CallContext = {
    headerRules,
    maxBodySize,
    meter,
    watch,
    streams,
    targets,
    responseHeaders: new ResponseHeaders(options),
  }
  const tunnels = new Tunnels(context)
  const close = async () => {
    watch.close()
    tunnels.destroy()
    await Promise.all([...targets.values()].map((set) => set.close()))
  }
  fastify.register(async (scope) => registerPlugin(scope, context))
  fastify.addHook('onClose', close)
  return {
    forward(exchange, request, response) {
      if (!hasBody(request)) {
        new HttpRelay(exchange, context, request, response).start()
        return
      }
      openExchange(request, exchange)
      fastify.routing(request, response)
    },
    tunnel: (exchange, request, socket, head) => tunnels.start(exchange, request, socket, head),
    tunnels: tunnels.open,
    streams,
    drain() {
      streams.drain()
      tunnels.stop()
    },
    close,
  }
}

async function registerPlugin(scope: FastifyInstance, context: CallContext): Promise<void> {
  scope.decorateRequest(relayKey, null)
  scope.setErrorHandler((error, request, reply) => refuse(request, reply, error))
  const options = {
    upstream: NOWHERE,
    httpMethods: METHODS.filter((method) => method !== 'CONNECT'),
    routes: ['/'],
    disableRequestLogging: true,
    undici: dispatcher,
    handler(request: FastifyRequest, reply: FastifyReply, destination: string, replyOptions: object) {
      carrying(request)[relayKey] = new HttpRelay(exchangeOf(request.raw), context, request.raw, reply.raw)
      // From here on the response is written by the relay alone.
      reply.hijack()
      return reply.from(destination, replyOptions)
    },
    replyOptions: {
      // The headers are the relay's: it strips and sets them in one act. What the plugin prepared from the client's is left behind here.
      rewriteRequestHeaders: (request: FastifyRequest) => ({ [relayKey]: carrying(request)[relayKey] }),
      onResponse: (_request: unknown, _reply: unknown, { stream }: { stream: HttpRelay }) => stream.relayHead(),
      onError: (reply: FastifyReply, { error }: { error: Error }) => refuse(reply.request, reply, error),
      // An answer is passed on as it is, a 503 too: nothing is sent twice.
      retryDelay: () => null,
    },
  }
  // The plugin's types speak of HTTP/2 servers and of undici's own clients as well; here are neither.
  await scope.register(httpProxy, options as unknown as FastifyHttpProxyOptions)
}

/** What the plugin takes for a client. It brings the relay along among the headers, under a symbol that no header can have. */
const dispatcher = {
  request({ headers }: { headers: Carrying }, callback: PluginCallback): void {
    const relay = headers[relayKey]
    if (relay === null) throw new Error('a request reached the dispatcher without its relay')
    relay.start(callback)
  },
}

function refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  const { adjudication } = exchangeOf(request.raw)
  reply.hijack()
  sendRefusal(request.raw, reply.raw, adjudication.refuse(error))
}

function carrying(request: FastifyRequest): Carrying {
  return request as unknown as Carrying
}

function targetOptions({ waiting = 16_384, ca }: ForwardingOptions) {
  return { waiting, ...(ca === undefined ? {} : { ca }) }
}

/** Often enough that the shortest limit is overrun by a fifth at most, and at least twice a second. */
function watchPeriod(upstreams: readonly Upstream[]): number {
  const shortest = Math.min(2_500, ...upstreams.flatMap(({ timeouts }) => [timeouts.headers, timeouts.idle]))
  return Math.max(10, Math.floor(shortest / 5))
}
