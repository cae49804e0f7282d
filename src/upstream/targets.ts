import { Pool } from 'undici'
import type { Upstream } from '../domain/upstream.ts'

/** One address of an upstream, and the connections to it. */
export interface Target {
  /** For the `Host` header: host, and port unless it is the scheme's own. */
  readonly host: string
  readonly pool: Pool
  /** Calls that are with the pool, waiting ones included. */
  load: number
  /** Until then (milliseconds on the stall watch's clock) others are preferred, because connecting to it failed. */
  restingUntil: number
}

export interface TargetOptions {
  /** Calls that may wait for a connection to one target. */
  readonly waiting: number
  /** Additional trust (PEM) for upstreams that speak TLS. Verification itself cannot be switched off. */
  readonly ca?: string | readonly string[]
}

const REST_MS = 1_000

/** The targets of one upstream, taken in turn. */
export class TargetSet {
  readonly #targets: readonly Target[]
  readonly #connections: number
  readonly #mostLoad: number
  #turn = 0

  constructor(upstream: Upstream, options: TargetOptions) {
    this.#targets = upstream.targets.map((origin) => openTarget(origin, upstream, options))
    this.#connections = upstream.connections
    this.#mostLoad = upstream.connections + options.waiting
  }

  /** The next target in turn that was not tried; one that rests only when no other is left. null: all were tried. */
  next(now: number, tried: readonly Target[]): Target | null {
    let resting: Target | null = null
    const start = this.#turn
    for (let step = 0; step < this.#targets.length; step += 1) {
      const index = (start + step) % this.#targets.length
      const target = this.#targets[index] as Target
      if (tried.includes(target)) continue
      if (target.restingUntil > now) resting ??= target
      else {
        this.#turn = index + 1
        return target
      }
    }
    return resting
  }

  isFull(target: Target): boolean {
    return target.load >= this.#mostLoad
  }

  /** Whether calls wait because every connection is taken, not because one is still being made. */
  isSaturated(target: Target): boolean {
    return target.load > this.#connections
  }

  rest(target: Target, now: number): void {
    target.restingUntil = now + REST_MS
  }

  async close(): Promise<void> {
    await Promise.all(this.#targets.map((target) => target.pool.destroy()))
  }
}

/** Timeouts for the head and the body are kept by the stall watch, which can tell event streams from others; the pool's own are off. */
function openTarget(origin: string, { timeouts, connections }: Upstream, { ca }: TargetOptions): Target {
  const trust = ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: { ...trust, timeout: timeouts.connect, rejectUnauthorized: true },
  })
  return { host: new URL(origin).host, pool, load: 0, restingUntil: 0 }
}
