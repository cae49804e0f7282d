import { METHODS } from 'node:http'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { type Forward, type GateOptions, gate } from './gate.ts'
import { createParser } from './parser.ts'
import { brokenRequestGate, connectGate, type Tunnel, upgradeGate } from './upgrades.ts'

/** Settings of the public listener. */
export interface ListenerOptions {
  /** Milliseconds until a whole request must have arrived. */
  readonly requestTimeout: number
  readonly logger: FastifyBaseLogger
}

/** The methods that a request can come with; CONNECT never becomes a request. */
const SERVED_METHODS = METHODS.filter((method) => method !== 'CONNECT')

/** Milliseconds that a connection without a request is kept. */
const KEEP_ALIVE_MS = 72_000

/**
 * The public Fastify instance, still without a door. Its router is made blind (`rewriteUrl`): every request goes to `/`, so that the path has one reader
 * only, and it parses no body.
 */
export function createListener({ requestTimeout, logger }: ListenerOptions): FastifyInstance {
  const fastify = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    rewriteUrl: () => '/',
    serverFactory(handler) {
      const server = createParser(requestTimeout)
      server.requestTimeout = requestTimeout
      server.keepAliveTimeout = KEEP_ALIVE_MS
      return server.on('request', handler)
    },
  })
  for (const method of SERVED_METHODS) fastify.addHttpMethod(method, { hasBody: false, overrideExisting: true } as object)
  return fastify
}

/** How what was granted goes on. */
export interface Beyond {
  readonly forward: Forward
  readonly tunnel: Tunnel
}

/**
 * Opens every way in, all through the same pipeline: requests, upgrades, CONNECT, expectations, and what the parser could not read. From here on Fastify's router sees only
 * what it is handed.
 */
export function openDoors(fastify: FastifyInstance, options: GateOptions, { forward, tunnel }: Beyond): void {
  const { server } = fastify
  const { connections } = options
  server.prependListener('connection', (socket) => connections.opened(socket))
  // Node's own, called by every close, also cuts answers that are written but have not left the process yet.
  server.closeIdleConnections = () => {}
  server.removeAllListeners('request')
  server.on('request', gate(options, forward))
  server.on('checkContinue', (request, response) => {
    connections.awaitsContinue(request)
    server.emit('request', request, response)
  })
  // An expectation that nobody knows is not met by ignoring it, but the pipeline may refuse for better reasons first; `Expect` is dropped.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
  server.on('upgrade', upgradeGate(options, tunnel))
  server.on('connect', connectGate(options))
  // Fastify's own answer to a broken request knows neither the record nor the refusal table.
  server.removeAllListeners('clientError')
  server.on('clientError', brokenRequestGate(options))
}
