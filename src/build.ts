import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Gateway } from './config/gateway.ts'
import { guardedPaths } from './domain/guarded-paths.ts'
import { headerClassifier } from './domain/header-class.ts'
import type { Provider } from './domain/provider.ts'
import { addressLimiter } from './http/address-limiter.ts'
import { createAdminListener } from './http/admin.ts'
import { clientAddressReader } from './http/client-address.ts'
import { Connections } from './http/connections.ts'
import { ENDPOINT_ROUTES, type Endpoint, keySetEndpoint, providerStatusEndpoint } from './http/endpoints.ts'
import { createListener, guard, openDoors } from './http/listener.ts'
import { providerStatus } from './http/provider-status.ts'
import { ProviderWatch } from './http/provider-watch.ts'
import { type Check, Readiness } from './http/readiness.ts'
import type { Pipeline } from './pipeline/pipeline.ts'
import type { Clock } from './ports/clock.ts'
import { apiKeyVerifier } from './stores/api-keys/api-key-verifier.ts'
import { keySetsOf } from './stores/jose/key-sets.ts'
import { providerChecks } from './stores/jose/provider-checks.ts'
import { tokenVerifier } from './stores/jose/token-verifier.ts'
import { GcraLimiter } from './stores/memory/gcra-limiter.ts'
import { MemoryRevocationList } from './stores/memory/revocation-list.ts'
import { routeTable } from './stores/memory/route-table.ts'
import { openDatabase } from './stores/sql/open-database.ts'
import { type SqlCredentialStore, sqlCredentialStore } from './stores/sql/sql-credential-store.ts'
import { type AuditWriter, openAuditWriter } from './telemetry/audit-writer.ts'
import { logRefusal } from './telemetry/logger.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'
import { createAssertionIssuer } from './tokens/assertion-issuer.ts'
import { type DevelopmentIssuer, developmentIssuerOptions, openDevelopmentIssuer } from './tokens/development-issuer.ts'
import { type IdentityKeys, loadIdentityKeys } from './tokens/identity-keys.ts'
import { type Forwarding, registerForwarding } from './upstream/proxy.ts'
import { VERSION } from './version.ts'

/** A gateway that is put together and not yet listening. */
export interface BuiltGateway {
  readonly publicListener: FastifyInstance
  readonly adminListener: FastifyInstance
  /** Runs the checks of all providers, within 5 s; gives those that fail. */
  start(): Promise<readonly Check[]>
  /** No longer ready; what would never end by itself is told to go. */
  drain(): void
  /** Closes stores and writes out the audit log. Call it after the listeners are closed. */
  close(): Promise<void>
}

/**
 * Puts the gateway together: configuration, stores, pipeline, listeners. The only file that sees every room. Throws a sentence when a key, the
 * database or the audit log cannot be opened; what was opened before is closed again.
 */
export async function buildGateway(gateway: Gateway, logger: Logger): Promise<BuiltGateway> {
  const opened: (() => unknown)[] = []
  try {
    return await assemble(gateway, logger, (close) => opened.unshift(close))
  } catch (error) {
    for (const close of opened) await close()
    throw error
  }
}

/** `closeLater` takes what must be closed at the end, last opened first. */
async function assemble(gateway: Gateway, logger: Logger, closeLater: (close: () => unknown) => void): Promise<BuiltGateway> {
  const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }
  const closers: (() => unknown)[] = []
  const atEnd = (close: () => unknown) => {
    closers.unshift(close)
    closeLater(close)
  }
  const identityKeys = loadIdentityKeys(gateway.identity)
  const development = gateway.developmentIssuer ? openDevelopmentIssuer(developmentIssuerOptions(gateway)) : null
  const providers = development === null ? gateway.providers : [...gateway.providers, development.provider]
  const metrics = metricsOf(gateway, providers)
  atEnd(() => metrics.close())
  const audit = await openAudit(gateway, clock, metrics, logger)
  atEnd(() => audit.close())
  const database = await openDatabase(gateway.stores.database)
  atEnd(() => database.close())
  const credentials = sqlCredentialStore(database, { clock })
  atEnd(() => credentials.close())
  const trust = trustIn(providers, clock, metrics)
  atEnd(() => trust.close())

  const readiness = new Readiness()
  readiness.watch(() => [auditCheck(audit), storeCheck(credentials), ...trust.watch.checks])
  const status = {
    providers: trust.names,
    requested: process.env.PLANEGATE_PROVIDER ?? null,
    readiness,
    diagnostics: trust.diagnostics,
  }
  const endpoints = endpointsOf(gateway, identityKeys, development, () => providerStatus({ ...status, terse: true }))

  const listenerLogger = logger as unknown as FastifyBaseLogger
  const publicListener = createListener({ requestTimeout: gateway.server.requestTimeout, logger: listenerLogger })
  const parts = { clock, identityKeys, audit, metrics, credentials, tokens: trust.tokens, endpoints, publicListener }
  const forwarding = await openPublicListener(gateway, logger, parts)
  const adminListener = createAdminListener({
    logger: listenerLogger,
    readiness,
    renderMetrics: () => metrics.render(),
    providerStatus: gateway.providerStatusExposure === 'admin' ? () => providerStatus({ ...status, terse: false }) : null,
  })
  return {
    publicListener,
    adminListener,
    start: async () => (await trust.watch.start()).filter((check) => !check.ok),
    drain() {
      readiness.drain()
      forwarding.drain()
    },
    async close() {
      for (const close of closers) await close()
    },
  }
}

/** What the public listener is put together from. */
interface Parts {
  readonly clock: Clock
  readonly identityKeys: IdentityKeys
  readonly audit: AuditWriter
  readonly metrics: Metrics
  readonly credentials: SqlCredentialStore
  readonly tokens: Pipeline['verifiers']['jwt']
  readonly endpoints: readonly Endpoint[]
  readonly publicListener: FastifyInstance
}

async function openPublicListener(gateway: Gateway, logger: Logger, parts: Parts): Promise<Forwarding> {
  const { publicListener, endpoints, metrics } = parts
  const pipeline = await pipelineOf(gateway, parts)
  const { classifyHeader, apiKeyHeader, maxBodySize } = pipeline
  const doors = {
    pipeline,
    upstreams: new Map(gateway.upstreams.map((upstream) => [upstream.name, upstream])),
    endpoints: new Map(endpoints.map((endpoint) => [endpoint.route.id, endpoint])),
    observe: (...refused: [Parameters<typeof logRefusal>[1], Parameters<typeof logRefusal>[2]]) => logRefusal(logger, ...refused),
    readAddress: clientAddressReader(gateway.server.trustedProxies),
    connections: new Connections(),
  }
  guard(publicListener, doors)
  const forwarding = await registerForwarding(publicListener, {
    upstreams: gateway.upstreams,
    classifyHeader,
    apiKeyHeader,
    identityHeader: gateway.identity.header,
    maxBodySize,
    meter: metrics,
  })
  openDoors(publicListener, doors, forwarding.tunnel)
  return forwarding
}

async function pipelineOf(gateway: Gateway, parts: Parts): Promise<Pipeline> {
  const { clock, audit, metrics, credentials, tokens, identityKeys, endpoints, publicListener } = parts
  const limiter = new GcraLimiter(clock)
  const addressLimits = gateway.limits.filter((limit) => limit.key === 'ip')
  return {
    clock,
    addressLimiter: await addressLimiter(publicListener, limiter, addressLimits),
    addressLimits,
    maxBodySize: gateway.server.maxBodySize,
    routes: routeTable([...endpoints.map((endpoint) => endpoint.route), ...gateway.routes]),
    classifyHeader: headerClassifier({
      apiKeyHeader: gateway.apiKeyHeader,
      identityHeaders: [gateway.identity.header, ...gateway.identity.reserved],
    }),
    apiKeyHeader: gateway.apiKeyHeader,
    declaredPlaces: { worker: guardedPaths(gateway.workerPaths), admin: guardedPaths(gateway.adminPaths) },
    verifiers: { jwt: tokens, 'api-key': apiKeyVerifier({ store: credentials, environment: gateway.environment, clock }) },
    revocations: new MemoryRevocationList(clock),
    limiter,
    limits: new Map(gateway.limits.map((limit) => [limit.name, limit])),
    roles: gateway.roles,
    assertions: createAssertionIssuer({
      ...gateway.identity,
      keys: identityKeys,
      ttlMs: gateway.identity.ttl,
      upstreams: gateway.upstreams,
      clock,
    }),
    auditLog: audit,
    meter: metrics,
  }
}

/** Everything about the providers: their keys, the verifier over them, and the watch that says whether they are ready. */
function trustIn(providers: readonly Provider[], clock: Clock, metrics: Metrics) {
  const onFetch = (provider: string, result: 'ok' | 'failed') =>
    metrics.jwksFetch(provider, result === 'ok' ? 'success' : 'failure')
  const keySets = keySetsOf(providers, { clock, onFetch })
  const known = providers.flatMap((provider) => {
    const keySet = keySets.get(provider.name)
    return keySet === undefined ? [] : [{ provider, keySet }]
  })
  const report = (checks: readonly Check[]) => {
    for (const { name } of providers)
      metrics.providerReady(
        name,
        checks.every((check) => check.provider !== name || check.ok),
      )
  }
  const watch = new ProviderWatch(
    known.map(
      ({ provider, keySet }) =>
        () =>
          providerChecks(provider, keySet),
    ),
    report,
  )
  return {
    watch,
    tokens: tokenVerifier({ providers, keySets, clock, onCache: (result) => metrics.tokenCache(result) }),
    names: providers.map(({ name, plane }) => ({ name, human: !('fixed' in plane) || plane.fixed === 'HUMAN' })),
    diagnostics: () => Object.fromEntries(known.map(({ provider, keySet }) => [provider.name, keySet.state()])),
    close() {
      watch.close()
      for (const { keySet } of known) keySet.close()
    },
  }
}

function endpointsOf(
  gateway: Gateway,
  keys: IdentityKeys,
  development: DevelopmentIssuer | null,
  status: () => object,
): Endpoint[] {
  const endpoints = [keySetEndpoint(ENDPOINT_ROUTES.jwks, keys.jwks())]
  if (development !== null) endpoints.push(keySetEndpoint(ENDPOINT_ROUTES.developmentJwks, development.jwks()))
  if (gateway.providerStatusExposure === 'public') endpoints.push(providerStatusEndpoint(status))
  return endpoints
}

function metricsOf(gateway: Gateway, providers: readonly Provider[]): Metrics {
  const names = (items: readonly { readonly name: string }[]) => items.map((item) => item.name)
  return createMetrics({
    version: VERSION,
    routes: [...gateway.routes, ...Object.values(ENDPOINT_ROUTES)],
    limits: names(gateway.limits),
    providers: names(providers),
    upstreams: names(gateway.upstreams),
  })
}

function openAudit({ audit }: Gateway, clock: Clock, metrics: Metrics, logger: Logger): Promise<AuditWriter> {
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

function auditCheck(audit: AuditWriter): Check {
  const ok = audit.available()
  return { name: 'audit', provider: null, ok, detail: ok ? '' : 'records cannot be written' }
}

function storeCheck(credentials: SqlCredentialStore): Check {
  try {
    credentials.check()
    return { name: 'credential_store', provider: null, ok: true, detail: '' }
  } catch (error) {
    return { name: 'credential_store', provider: null, ok: false, detail: error instanceof Error ? error.message : 'unavailable' }
  }
}
