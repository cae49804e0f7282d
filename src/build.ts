import { hash } from 'node:crypto'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { keyDesk } from './admin/key-desk.ts'
import type { Gateway } from './config/gateway.ts'
import { CredentialShape } from './domain/credential-shape.ts'
import { guardedPaths } from './domain/guarded-paths.ts'
import { headerClassifier } from './domain/header-class.ts'
import type { Provider } from './domain/provider.ts'
import type { Secret } from './domain/secret.ts'
import { addressLimiter } from './http/address-limiter.ts'
import { createAdminListener } from './http/admin.ts'
import type { AdminApiOptions } from './http/admin-api/admin-api.ts'
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
import { keyEnvironment, mintApiKey } from './stores/api-keys/format.ts'
import { isNetwork } from './stores/api-keys/networks.ts'
import { keySetsOf } from './stores/jose/key-sets.ts'
import { providerChecks } from './stores/jose/provider-checks.ts'
import { tokenVerifier } from './stores/jose/token-verifier.ts'
import { GcraLimiter } from './stores/memory/gcra-limiter.ts'
import { routeTable } from './stores/memory/route-table.ts'
import { openDatabase } from './stores/sql/open-database.ts'
import { openAdministration, type SqlAdministration } from './stores/sql/sql-administration.ts'
import type { SqlCredentialStore } from './stores/sql/sql-credential-store.ts'
import { type AuditWriter, openAuditWriter } from './telemetry/audit-writer.ts'
import { logRefusal } from './telemetry/logger.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'
import { createAssertionIssuer } from './tokens/assertion-issuer.ts'
import { type DevelopmentIssuer, developmentIssuerOptions, openDevelopmentIssuer } from './tokens/development-issuer.ts'
import { type IdentityKeys, loadIdentityKeys } from './tokens/identity-keys.ts'
import { credentialStanding } from './upstream/credential-standing.ts'
import { registerForwarding } from './upstream/proxy.ts'
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
 * database or the audit log cannot be opened; what was opened before is closed again. Without an `adminToken` there is no admin API.
 */
export async function buildGateway(gateway: Gateway, logger: Logger, adminToken: Secret | null): Promise<BuiltGateway> {
  const opened: (() => unknown)[] = []
  try {
    return await assemble(gateway, logger, adminToken, (close) => opened.unshift(close))
  } catch (error) {
    for (const close of opened) await close()
    throw error
  }
}

/** `closeLater` takes what must be closed at the end, last opened first. */
async function assemble(
  gateway: Gateway,
  logger: Logger,
  adminToken: Secret | null,
  closeLater: (close: () => unknown) => void,
): Promise<BuiltGateway> {
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
  const administration = await openAdministration(database, {
    clock,
    auditLog: audit,
    revocation: gateway.revocation,
    events: {
      failed: (error) => logger.error({ err: error }, 'Changes cannot be recorded in the audit log.'),
      restored: () => logger.info('Changes are recorded in the audit log again.'),
    },
  })
  atEnd(() => administration.close())
  const { credentials, revocations } = administration
  const trust = trustIn(providers, clock, metrics, gateway.revocation.retention)
  atEnd(() => trust.close())

  const readiness = new Readiness()
  readiness.watch(() => [auditCheck(audit), storeCheck(credentials), revocationCheck(revocations), ...trust.watch.checks])
  const status = {
    providers: trust.names,
    requested: process.env.PLANEGATE_PROVIDER || null,
    readiness,
    diagnostics: trust.diagnostics,
  }
  const endpoints = endpointsOf(gateway, identityKeys, development, () => providerStatus({ ...status, terse: true }))

  const listenerLogger = logger as unknown as FastifyBaseLogger
  const publicListener = createListener({ requestTimeout: gateway.server.requestTimeout, logger: listenerLogger })
  const parts = {
    clock,
    identityKeys,
    audit,
    metrics,
    credentials,
    revocations,
    tokens: trust.tokens,
    issuers: providers.map((provider) => provider.issuer),
    endpoints,
    publicListener,
  }
  const publicDoors = await openPublicListener(gateway, logger, parts)
  const adminListener = createAdminListener({
    logger: listenerLogger,
    readiness,
    renderMetrics() {
      metrics.revocationLag(revocations.staleness() / 1000)
      return metrics.render()
    },
    providerStatus: gateway.providerStatusExposure === 'admin' ? () => providerStatus({ ...status, terse: false }) : null,
    api: adminToken === null ? null : adminApiOf(gateway, adminToken, clock, administration),
    observe: (refusal, request) => logRefusal(logger, refusal, request),
  })
  return {
    publicListener,
    adminListener,
    start: async () => (await trust.watch.start()).filter((check) => !check.ok),
    drain() {
      readiness.drain()
      publicDoors.drain()
    },
    async close() {
      for (const close of closers) await close()
    },
  }
}

function adminApiOf({ environment }: Gateway, token: Secret, clock: Clock, administration: SqlAdministration): AdminApiOptions {
  const { credentials, revocations, settled } = administration
  const keys = keyDesk({ store: credentials, clock, mint: () => mintApiKey(keyEnvironment(environment)) })
  return { token, keys, revocations, settled, limiter: new GcraLimiter(clock), clock, isNetwork }
}

/** What the public listener is put together from. */
interface Parts {
  readonly clock: Clock
  readonly identityKeys: IdentityKeys
  readonly audit: AuditWriter
  readonly metrics: Metrics
  readonly credentials: SqlCredentialStore
  readonly revocations: SqlAdministration['revocations']
  readonly tokens: Pipeline['verifiers']['jwt']
  /** Of the providers. */
  readonly issuers: readonly string[]
  readonly endpoints: readonly Endpoint[]
  readonly publicListener: FastifyInstance
}

async function openPublicListener(gateway: Gateway, logger: Logger, parts: Parts): Promise<{ drain(): void }> {
  const { publicListener, endpoints, metrics } = parts
  const pipeline = await pipelineOf(gateway, parts)
  const { apiKeyHeader, maxBodySize } = pipeline
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
    headerRules: pipeline,
    apiKeyHeader,
    identityHeader: gateway.identity.header,
    maxBodySize,
    meter: metrics,
    streams: { standing: credentialStanding(parts), auditLog: parts.audit, clock: parts.clock },
  })
  openDoors(publicListener, doors, forwarding.tunnel)
  return {
    drain() {
      doors.connections.drain()
      forwarding.drain()
    },
  }
}

async function pipelineOf(gateway: Gateway, parts: Parts): Promise<Pipeline> {
  const { clock, audit, metrics, credentials, tokens, identityKeys, endpoints, publicListener } = parts
  const limiter = new GcraLimiter(clock)
  const addressLimits = gateway.limits.filter((limit) => limit.key === 'ip' && limit.on === 'requests')
  return {
    clock,
    digest: (text) => hash('sha256', text),
    addressLimiter: await addressLimiter(publicListener, limiter, addressLimits),
    addressLimits,
    maxBodySize: gateway.server.maxBodySize,
    routes: routeTable([...endpoints.map((endpoint) => endpoint.route), ...gateway.routes]),
    credentialShape: new CredentialShape(parts.issuers),
    classifyHeader: headerClassifier({
      apiKeyHeader: gateway.apiKeyHeader,
      identityHeaders: [gateway.identity.header, ...gateway.identity.reserved],
    }),
    apiKeyHeader: gateway.apiKeyHeader,
    declaredPlaces: { worker: guardedPaths(gateway.workerPaths), admin: guardedPaths(gateway.adminPaths) },
    verifiers: { jwt: tokens, 'api-key': apiKeyVerifier({ store: credentials, environment: gateway.environment, clock }) },
    revocations: parts.revocations,
    limiter,
    limits: new Map(gateway.limits.map((limit) => [limit.name, limit])),
    failureLimiter: limiter,
    failureLimits: gateway.limits.filter((limit) => limit.on === 'failures'),
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
function trustIn(providers: readonly Provider[], clock: Clock, metrics: Metrics, maxLifetime: number) {
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
    tokens: tokenVerifier({ providers, keySets, clock, maxLifetime, onCache: (result) => metrics.tokenCache(result) }),
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

function revocationCheck(revocations: SqlAdministration['revocations']): Check {
  try {
    revocations.check()
    return { name: 'revocation_list', provider: null, ok: true, detail: '' }
  } catch (error) {
    return { name: 'revocation_list', provider: null, ok: false, detail: error instanceof Error ? error.message : 'unavailable' }
  }
}
