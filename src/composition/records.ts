import type { Logger } from 'pino'
import { type AuditWriter, openAuditWriter } from '../audit/writing/audit-writer.ts'
import type { Gateway } from '../config/gateway.ts'
import type { Provider } from '../domain/provider.ts'
import { ENDPOINT_ROUTES } from '../http/endpoints.ts'
import type { Check } from '../http/readiness.ts'
import type { Clock } from '../ports/clock.ts'
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

/** The audit log, its troubles told to the log and the metrics. */
export function openAudit({ audit }: Gateway, clock: Clock, metrics: Metrics, logger: Logger): Promise<AuditWriter> {
  return openAuditWriter({
    ...audit,
    clock,
    events: {
      recorded: (count) => metrics.auditRecorded(count),
      dropped: (count) => metrics.auditDropped(count),
      failed: (error) => logger.error({ err: error }, 'The audit log cannot be written.'),
      restored: () => logger.info('The audit log is written again.'),
    },
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

/** Whether records can be written. */
export function auditCheck(audit: AuditWriter): Check {
  return checkOf('audit', () => {
    if (!audit.available()) throw new Error('records cannot be written')
  })
}
