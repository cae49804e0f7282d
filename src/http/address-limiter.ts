import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Allowance, Limit } from '../domain/limit.ts'
import type { Limiter } from '../ports/limiter.ts'

type Counter = (
  request: FastifyRequest,
) => Promise<{ isAllowed: boolean; isExceeded?: boolean; remaining?: number; ttl?: number }>
/** What `@fastify/rate-limit` reads of a request: our key, and that no route has settings of its own. */
type Asked = { readonly key: string; readonly routeOptions: object }

/**
 * The address limits, counted by `@fastify/rate-limit` with our own store behind it: the plugin's windows are fixed and its memory is a small LRU that an
 * attacker can rotate through. Used through `createRateLimit`, so that requests and upgrades take from the same allowance.
 */
export async function addressLimiter(fastify: FastifyInstance, store: Limiter, limits: readonly Limit[]): Promise<Limiter> {
  await fastify.register(rateLimit, { global: false, store: gcraStore(store, limits) })
  const counters = new Map<Limit, Counter>()
  for (const limit of limits) {
    const options = { max: limit.burst, timeWindow: limit.periodMs, keyGenerator: (request: unknown) => (request as Asked).key }
    counters.set(
      limit,
      fastify.createRateLimit({ ...options, groupId: limit.name } as Parameters<typeof fastify.createRateLimit>[0]) as Counter,
    )
  }
  return {
    async take(limit, key) {
      const counter = counters.get(limit)
      if (counter === undefined) return store.take(limit, key)
      const counted = await counter({ key, routeOptions: {} } as Asked as unknown as FastifyRequest)
      return allowanceOf(limit, counted.isExceeded !== false, counted.remaining ?? 0, counted.ttl ?? limit.periodMs)
    },
  }
}

function allowanceOf(limit: Limit, exceeded: boolean, remaining: number, ttl: number): Allowance {
  return { limit, admitted: !exceeded, remaining, retryAfterMs: remaining > 0 ? 0 : ttl, resetMs: ttl }
}

/** Our limiter in the shape of the plugin's store: `current` above `max` says no, `ttl` says how long. */
function gcraStore(store: Limiter, limits: readonly Limit[]): new (options: object) => FastifyRateLimitStore {
  const byName = new Map(limits.map((limit) => [limit.name, limit]))
  return class GcraStore implements FastifyRateLimitStore {
    readonly #limit: Limit | undefined

    constructor(options: object) {
      this.#limit = byName.get((options as { groupId?: string }).groupId ?? '')
    }

    incr(key: string, callback: (error: Error | null, result?: { current: number; ttl: number }) => void): void {
      const limit = this.#limit
      if (limit === undefined) {
        callback(new Error('an address limit was asked that was not declared'))
        return
      }
      const answer = (taken: Allowance) => {
        const { admitted, remaining, resetMs, retryAfterMs } = taken
        callback(null, {
          current: admitted ? limit.burst - remaining : limit.burst + 1,
          ttl: remaining > 0 ? resetMs : retryAfterMs,
        })
      }
      const taken = store.take(limit, key)
      if (taken instanceof Promise) taken.then(answer, (error: Error) => callback(error))
      else answer(taken)
    }

    child(options: object): FastifyRateLimitStore {
      return new GcraStore(options)
    }
  }
}
