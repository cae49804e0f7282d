import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Readiness } from './readiness.ts'

/** What the admin listener shows. */
export interface AdminOptions {
  readonly logger: FastifyBaseLogger
  readonly readiness: Readiness
  readonly renderMetrics: () => Promise<{ contentType: string; body: string }>
  /** The provider status document; null: not shown here. */
  readonly providerStatus: (() => object) | null
}

/** The admin listener: metrics, liveness, readiness. Meant for a private address; it serves no route and reads no credential of clients. */
export function createAdminListener({ logger, readiness, renderMetrics, providerStatus }: AdminOptions): FastifyInstance {
  const fastify = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  })
  fastify.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  })
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
  return fastify
}
