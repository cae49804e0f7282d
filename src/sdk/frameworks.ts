import type { HeaderCarrier } from './assertion-header.ts'
import type { IdentityContext } from './identity-context.ts'
import { IdentityError, identityProblem } from './identity-error.ts'
import type { IdentityVerifier } from './identity-verifier.ts'

// The types of the frameworks are described, not imported: a service that uses one of them needs nothing of the other.

export interface GuardOptions {
  /** Lets a request without any assertion pass, with `identity` null: the gateway's PUBLIC routes. A wrong assertion is still refused. */
  readonly optional?: boolean
}

/** A request of Express, or of any chain of `(request, response, next)`. */
export type GuardedRequest = HeaderCarrier & { identity?: IdentityContext | null }

/** Node's `ServerResponse`, as far as it is needed. */
export interface NodeResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
}

/** Express middleware: sets `req.identity`, or answers 401 (503 when keys are unavailable) and goes no further. */
export function expressIdentity(verifier: IdentityVerifier, options: GuardOptions = {}) {
  return (request: GuardedRequest, response: NodeResponse, next: (error?: unknown) => void): void => {
    identify(verifier, request, options).then(
      (identity) => {
        request.identity = identity
        proceed(next)
      },
      (error) => (error instanceof IdentityError ? answerIdentityError(response, error) : proceed(next, error)),
    )
  }
}

/**
 * Calls `next` outside the promise that led here, so that nothing it throws becomes an unhandled rejection: an error of the handlers goes to the
 * chain's own error handler, and an error of that one is thrown like that of any callback.
 */
function proceed(next: (error?: unknown) => void, error?: unknown): void {
  queueMicrotask(() => {
    if (error !== undefined) return next(error)
    try {
      next()
    } catch (thrown) {
      next(thrown ?? new Error('a handler threw nothing'))
    }
  })
}

/** Answers a request of plain Node that has no identity, as `application/problem+json`. Any other error is thrown on. */
export function answerIdentityError(response: NodeResponse, error: unknown): void {
  if (!(error instanceof IdentityError)) throw error
  const { status, headers, body } = identityProblem(error)
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.end(body)
}

interface FastifyReplyLike {
  code(status: number): unknown
  headers(headers: Readonly<Record<string, string>>): unknown
  send(body: string): unknown
}

interface FastifyLike {
  decorateRequest(name: string, value: null): unknown
  addHook(name: 'onRequest', hook: (request: HeaderCarrier, reply: FastifyReplyLike) => Promise<unknown>): unknown
}

/**
 * Fastify plugin: sets `request.identity` for the routes of the scope that it is registered in, or answers 401 (503 when keys are
 * unavailable). Verified before the body is read.
 */
export function fastifyIdentity(verifier: IdentityVerifier, options: GuardOptions = {}) {
  const plugin = (fastify: FastifyLike, _: unknown, done: () => void): void => {
    fastify.decorateRequest('identity', null)
    fastify.addHook('onRequest', async (request: GuardedRequest, reply) => {
      try {
        request.identity = await identify(verifier, request, options)
        return undefined
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error
        const { status, headers, body } = identityProblem(error)
        reply.code(status)
        reply.headers(headers)
        return reply.send(body)
      }
    })
    done()
  }
  // Without this Fastify would confine the hook to the plugin itself (https://fastify.dev/docs/latest/Reference/Plugins/).
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}

async function identify(verifier: IdentityVerifier, request: HeaderCarrier, { optional = false }: GuardOptions) {
  try {
    return await verifier.verify(request)
  } catch (error) {
    if (optional && error instanceof IdentityError && error.code === 'identity-missing') return null
    throw error
  }
}
