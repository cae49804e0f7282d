import { type IncomingMessage, maxHeaderSize } from 'node:http'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { Refusal } from '../problem/refusal.ts'
import { type AdminApiOptions, adminApi } from './admin-api/admin-api.ts'
import { strictValidation } from './admin-api/formats.ts'
import { ADMIN_API } from './admin-api/operations.ts'
import { type AdminRefusalObserver, refusing, refusingUnread, requestIdOf } from './admin-refusals.ts'
import type { Readiness } from './readiness.ts'

/** Milliseconds until a whole request must have arrived. */
const REQUEST_TIMEOUT = 10_000
/** Milliseconds between two looks for requests that take too long to arrive. */
const CHECK_INTERVAL = 1_000

/** What the admin listener shows. */
export interface AdminOptions {
  readonly logger: FastifyBaseLogger
  readonly readiness: Readiness
  readonly renderMetrics: () => Promise<{ contentType: string; body: string }>
  /** The provider status document; null: not shown here. */
  readonly providerStatus: (() => object) | null
  /** null: no admin token is configured, and there is no admin API. */
  readonly api: AdminApiOptions | null
  readonly observe: AdminRefusalObserver
}

/**
 * The admin listener: metrics, liveness, readiness, and the admin API where there is a token for it. Meant for a private address; it serves no route and reads
 * no credential of clients.
 */
export function createAdminListener(options: AdminOptions): FastifyInstance {
  const { api, observe } = options
  const fastify = createFastify(options)
  fastify.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  })
  fastify.setErrorHandler(refusing(observe))
  fastify.setNotFoundHandler(unknownPath)
  // Before a body is looked at; below the admin API only after the token was.
  fastify.addHook('onRequest', async ({ is404, url }) => {
    if (is404 && (api === null || !url.startsWith(ADMIN_API))) unknownPath()
  })
  if (api !== null) fastify.register((scope) => adminApi(scope, api), { prefix: ADMIN_API })
  showState(fastify, options)
  return fastify
}

function unknownPath(): never {
  throw new Refusal('route-unknown', 'admin-path-unknown')
}

function createFastify({ logger, api, observe }: AdminOptions): FastifyInstance {
  const refuse = refusing(observe)
  return Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT,
    http: { connectionsCheckingInterval: CHECK_INTERVAL },
    // As long as a head can be: what is too long for an id is found out behind the token, not before it.
    routerOptions: { maxParamLength: maxHeaderSize },
    genReqId: (request) => requestIdOf(request as IncomingMessage),
    ajv: strictValidation(api?.isNetwork ?? (() => false)),
    frameworkErrors: (error, request, reply) => refuse(error, request, reply),
    clientErrorHandler: refusingUnread(observe),
  })
}

function showState(fastify: FastifyInstance, { readiness, renderMetrics, providerStatus }: AdminOptions): void {
  fastify.get('/livez', async () => ({ status: 'alive' }))
  fastify.get('/readyz', async (_request, reply) => {
    const failing = readiness.checks().filter((check) => !check.ok)
    return reply.code(failing.length === 0 ? 200 : 503).send({ status: failing.length === 0 ? 'ready' : 'not-ready', failing })
  })
  fastify.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await renderMetrics()
    return reply.header('content-type', contentType).send(body)
  })
  if (providerStatus !== null) fastify.get('/auth/provider/status', async () => providerStatus())
}
