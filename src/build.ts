import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { keyDesk } from './admin/key-desk.ts'
import { auditChecks, openAudit, pseudonymsOf, recordConfiguration } from './composition/audit.ts'
import { openPublicListener } from './composition/public-listener.ts'
import { checkOf, metricsOf, refusalLog } from './composition/records.ts'
import { trustIn } from './composition/trust.ts'
import type { Gateway } from './config/gateway.ts'
import type { Secret } from './domain/secret.ts'
import { createAdminListener } from './http/admin.ts'
import type { AdminApiOptions } from './http/admin-api/admin-api.ts'
import { ENDPOINT_ROUTES, type Endpoint, keySetEndpoint, providerStatusEndpoint } from './http/endpoints.ts'
import { createListener } from './http/listener.ts'
import { providerStatus } from './http/provider-status.ts'
import { type Check, Readiness } from './http/readiness.ts'
import type { Clock } from './ports/clock.ts'
import { keyEnvironment, mintApiKey } from './stores/api-keys/format.ts'
import { isNetwork } from './stores/api-keys/networks.ts'
import { GcraLimiter } from './stores/memory/gcra-limiter.ts'
import { openDatabase } from './stores/sql/open-database.ts'
import { openAdministration, type SqlAdministration } from './stores/sql/sql-administration.ts'
import { type DevelopmentIssuer, developmentIssuerOptions, openDevelopmentIssuer } from './tokens/development-issuer.ts'
import { type IdentityKeys, loadIdentityKeys } from './tokens/identity-keys.ts'

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
 * Puts the gateway together: configuration, stores, pipeline, listeners. Only this file and those in `composition/` see every room. Throws a sentence when a key, the
 * database or the audit log cannot be opened; what was opened before is closed again. Without an `adminToken` there is no admin API.
 */
export async function buildGateway(gateway: Gateway, logger: Logger, adminToken: Secret | null): Promise<BuiltGateway> {
  const opened: Closer[] = []
  try {
    return await assemble(gateway, logger, adminToken, opened)
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

type Closer = () => unknown

/** Last opened, first closed: what records is still there when what is recorded ends. */
async function closeAll(opened: Closer[]): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close()
}

/** `opened` is given what must be closed at the end, as it is opened. */
async function assemble(gateway: Gateway, logger: Logger, adminToken: Secret | null, opened: Closer[]): Promise<BuiltGateway> {
  const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }
  const identityKeys = loadIdentityKeys(gateway.identity)
  const development = gateway.developmentIssuer ? openDevelopmentIssuer(developmentIssuerOptions(gateway)) : null
  const providers = development === null ? gateway.providers : [...gateway.providers, development.provider]
  const metrics = metricsOf(gateway, providers)
  opened.push(() => metrics.close())
  const database = await openDatabase(gateway.stores.database)
  opened.push(() => database.close())
  const pseudonyms = pseudonymsOf(gateway.audit.pseudonymKey)
  const audit = await openAudit(gateway, pseudonyms, database, clock, metrics, logger)
  opened.push(() => audit.close())
  await recordConfiguration(gateway, audit, clock, logger)
  const administration = await openAdministration(database, {
    clock,
    auditLog: audit,
    revocation: gateway.revocation,
    events: {
      failed: (error) => logger.error({ err: error }, 'Changes cannot be recorded in the audit log.'),
      restored: () => logger.info('Changes are recorded in the audit log again.'),
    },
  })
  opened.push(() => administration.close())
  const { credentials, revocations } = administration
  const trust = trustIn(providers, clock, metrics, gateway.revocation.retention)
  opened.push(() => trust.close())

  const readiness = new Readiness()
  readiness.watch(() => [
    ...auditChecks(audit),
    checkOf('credential_store', () => credentials.check()),
    checkOf('revocation_list', () => revocations.check()),
    ...trust.watch.checks,
  ])
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
    pseudonyms,
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
    observe: refusalLog(logger, pseudonyms),
  })
  return {
    publicListener,
    adminListener,
    start: async () => (await trust.watch.start()).filter((check) => !check.ok),
    drain() {
      readiness.drain()
      publicDoors.drain()
    },
    close: () => closeAll(opened),
  }
}

function adminApiOf({ environment }: Gateway, token: Secret, clock: Clock, administration: SqlAdministration): AdminApiOptions {
  const { credentials, revocations, settled } = administration
  const keys = keyDesk({ store: credentials, clock, mint: () => mintApiKey(keyEnvironment(environment)) })
  return { token, keys, revocations, settled, limiter: new GcraLimiter(clock), clock, isNetwork }
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
