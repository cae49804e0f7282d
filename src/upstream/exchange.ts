import type { IncomingMessage } from 'node:http'
import type { Upstream } from '../domain/upstream.ts'
import type { Adjudication } from '../pipeline/adjudicate.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'

/** One granted request on its way to its upstream. */
export interface Exchange {
  readonly granted: Granted
  readonly upstream: Upstream
  /** Told once how it ended: `answered`, `refuse` or `abandoned`. */
  readonly adjudication: Adjudication
}

/** Exchanges by request, for those that go through the plugin. A request without one was never granted and goes nowhere. */
const exchanges = new WeakMap<IncomingMessage, Exchange>()

export function openExchange(request: IncomingMessage, exchange: Exchange): void {
  exchanges.set(request, exchange)
}

export function exchangeOf(request: IncomingMessage): Exchange {
  const exchange = exchanges.get(request)
  if (exchange === undefined) throw new Error('a request reached the forwarder without having been granted')
  return exchange
}
