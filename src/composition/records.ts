import type { Logger } from 'pino'
import type { Pseudonyms } from '../audit/format/pseudonyms.ts'
import type { Gateway } from '../config/gateway.ts'
import type { Provider } from '../domain/provider.ts'
import { ENDPOINT_ROUTES } from '../http/endpoints.ts'
import type { Check } from '../http/readiness.ts'
import type { Refusal } from '../problem/refusal.ts'
import { type LoggedRequest, logRefusal } from '../telemetry/logger.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { VERSION } from '../version.ts'

/** The metrics, with a series for everything that is declared. */
export function metricsOf(gateway: Gateway, providers: readonly Provider[]): Metrics {
  const names = (items: readonly { readonly name: string }[]) => items.map((item) => item.name)
  return createMetrics({
    version: VERSION,
    routes: [...gateway.routes, ...Object.values(ENDPOINT_ROUTES)],
    limits: names(gateway.limits),
    providers: names(providers),
    upstreams: names(gateway.upstreams),
  })
}

/** A readiness check over something that throws when it cannot be used. */
export function checkOf(name: string, probe: () => void): Check {
  try {
    probe()
    return { name, provider: null, ok: true, detail: '' }
  } catch (error) {
    return { name, provider: null, ok: false, detail: error instanceof Error ? error.message : 'unavailable' }
  }
}

/** Tells the log of refusals, naming addresses as the audit log does. */
export function refusalLog(logger: Logger, pseudonyms: Pseudonyms | null): (refusal: Refusal, request: LoggedRequest) => void {
  return (refusal, { requestId, route, clientIp }) =>
    logRefusal(logger, refusal, { requestId, route, clientIp: pseudonyms?.of('address', clientIp) ?? clientIp })
}
