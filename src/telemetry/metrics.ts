import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { DecisionRecord } from '../domain/decision-record.ts'
import type { Plane } from '../domain/plane.ts'
import type { Meter } from '../ports/meter.ts'
import { RouteCells } from './route-cells.ts'
import { type TallyCell, tally } from './tally.ts'

/** Seconds, from 50 µs (a warm token) to 5 s. */
const AUTH_BUCKETS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
const UPSTREAM_BUCKETS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30]

const TOKEN_CACHE_RESULTS = ['hit', 'miss'] as const
type TokenCacheResult = (typeof TOKEN_CACHE_RESULTS)[number]
const JWKS_RESULTS = ['success', 'failure'] as const
type JwksResult = (typeof JWKS_RESULTS)[number]
const INVARIANTS = ['I1', 'I2', 'I3', 'I4', 'I5'] as const

/** What configuration declares: the only source of label values. */
export interface MetricsOptions {
  readonly version: string
  readonly routes: readonly { readonly id: string; readonly plane: Plane }[]
  readonly limits: readonly string[]
  readonly providers: readonly string[]
  readonly upstreams: readonly string[]
}

export interface Metrics extends Meter {
  tokenCache(result: TokenCacheResult): void
  jwksFetch(provider: string, result: JwksResult): void
  providerReady(provider: string, ready: boolean): void
  /** Seconds since all revocations were known to be in force here. */
  revocationLag(seconds: number): void
  auditRecorded(count: number): void
  auditDropped(count: number): void
  configReload(succeeded: boolean): void
  /** Prometheus text of everything, the process's own figures included. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>
  /** Stops measuring the process. Needed where several are made in one process. */
  close(): void
}

/**
 * All metrics on a registry of their own. What is declared starts at 0, so that `rate()` and alerts see the first increment. A name that is
 * not declared counts under `none`, never under itself: no label value comes from a request.
 */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const gauges = registerGauges(registry, options)
  return {
    ...requestMeter(registry, options),
    ...gauges,
    ...counters(registry, options),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    close: () => registry.clear(),
  }
}

function requestMeter(registry: Registry, options: MetricsOptions): Pick<Meter, 'decided'> {
  const decisions = tally(registry, 'planegate_decisions_total', 'Requests by what was decided.', [
    'route',
    'plane',
    'outcome',
    'code',
  ])
  const requests = tally(registry, 'planegate_http_requests_total', 'Requests by what was answered.', [
    'route',
    'method',
    'status',
  ])
  const auth = new Histogram({
    name: 'planegate_auth_duration_seconds',
    help: 'Time from the head of a request to the decision.',
    buckets: AUTH_BUCKETS,
    registers: [registry],
  })
  const upstream = new Histogram({
    name: 'planegate_upstream_duration_seconds',
    help: 'Time from the decision to the head of the upstream answer.',
    labelNames: ['upstream'],
    buckets: UPSTREAM_BUCKETS,
    registers: [registry],
  })
  const routes = new Map(options.routes.map(({ id, plane }) => [id, new RouteCells(id, plane, decisions, requests)]))
  const noRoute = new RouteCells('none', null, decisions, requests)
  const upstreams = new Map(options.upstreams.map((name) => [name, upstream.labels({ upstream: name })]))
  for (const name of options.upstreams) upstream.zero({ upstream: name })
  return {
    decided(record: DecisionRecord, authMs: number, upstreamMs: number | null) {
      const cells = record.route === null ? noRoute : (routes.get(record.route) ?? noRoute)
      cells.count(record)
      auth.observe(authMs / 1000)
      if (upstreamMs !== null && record.upstream !== null) upstreams.get(record.upstream)?.observe(upstreamMs / 1000)
    },
  }
}

type Gauges = Pick<Metrics, 'providerReady' | 'revocationLag' | 'configReload'>

function registerGauges(registry: Registry, options: MetricsOptions): Gauges {
  const registers = [registry]
  const ready = new Gauge({
    name: 'planegate_provider_ready',
    help: '1 when all checks of the provider passed.',
    labelNames: ['provider'],
    registers,
  })
  const lag = new Gauge({
    name: 'planegate_revocation_lag_seconds',
    help: 'For how long revocations made elsewhere may have been missed.',
    registers,
  })
  const reload = new Gauge({
    name: 'planegate_config_last_reload_success',
    help: '1 when the newest configuration was taken.',
    registers,
  })
  const build = new Gauge({ name: 'planegate_build_info', help: 'Always 1.', labelNames: ['version'], registers })
  for (const provider of options.providers) ready.set({ provider }, 0)
  reload.set(1)
  build.set({ version: options.version }, 1)
  return {
    providerReady: (provider, isReady) => ready.set({ provider: declared(options.providers, provider) }, isReady ? 1 : 0),
    revocationLag: (seconds) => lag.set(seconds),
    configReload: (succeeded) => reload.set(succeeded ? 1 : 0),
  }
}

type Counters = Omit<Metrics, 'decided' | 'render' | 'close' | keyof Gauges>

function counters(registry: Registry, options: MetricsOptions): Counters {
  const limits = byName(registry, 'planegate_rate_limited_total', 'Requests refused by a limit.', 'limit', options.limits)
  const violations = byName(
    registry,
    'planegate_invariant_violations_total',
    'Requests that broke an invariant.',
    'invariant',
    INVARIANTS,
  )
  const cache = byName(registry, 'planegate_token_cache_total', 'Verified tokens found in memory.', 'result', TOKEN_CACHE_RESULTS)
  const fetches = tally(registry, 'planegate_jwks_fetch_total', 'Fetches of a key set.', ['provider', 'result'])
  const fetchCells = new Map(
    options.providers.flatMap((provider) =>
      JWKS_RESULTS.map((result) => [`${result} ${provider}`, fetches.cell({ provider, result })]),
    ),
  )
  const recorded = tally(registry, 'planegate_audit_records_total', 'Audit records written.', []).cell({})
  const dropped = tally(registry, 'planegate_audit_dropped_total', 'Audit records lost to a full queue.', []).cell({})
  return {
    rateLimited: (limit) => add(limits.get(limit), 1),
    invariantViolated: (invariant) => add(violations.get(invariant), 1),
    tokenCache: (result) => add(cache.get(result), 1),
    jwksFetch: (provider, result) => add(fetchCells.get(`${result} ${provider}`), 1),
    auditRecorded: (count) => add(recorded, count),
    auditDropped: (count) => add(dropped, count),
  }
}

function byName(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  values: readonly string[],
): Map<string, TallyCell> {
  const series = tally(registry, name, help, [label])
  return new Map(values.map((value) => [value, series.cell({ [label]: value })]))
}

function add(cell: TallyCell | undefined, count: number): void {
  if (cell !== undefined) cell.pending += count
}

function declared(names: readonly string[], name: string): string {
  return names.includes(name) ? name : 'none'
}
