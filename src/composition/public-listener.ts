import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Pseudonyms } from '../audit/format/pseudonyms.ts'
import type { AuditWriter } from '../audit/writing/audit-writer.ts'
import type { Gateway } from '../config/gateway.ts'
import { addressLimiter } from '../http/address-limiter.ts'
import { clientAddressReader } from '../http/client-address.ts'
import { Connections } from '../http/connections.ts'
import type { Endpoint } from '../http/endpoints.ts'
import { openDoors } from '../http/listener.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Clock } from '../ports/clock.ts'
import { apiKeyVerifier } from '../stores/api-keys/api-key-verifier.ts'
import { GcraLimiter } from '../stores/memory/gcra-limiter.ts'
import type { SqlAdministration } from '../stores/sql/sql-administration.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { IdentityKeys } from '../tokens/identity-keys.ts'
import { credentialStanding } from '../upstream/credential-standing.ts'
import { registerForwarding } from '../upstream/proxy.ts'
import { addressLimitsOf, pipelineOf } from './pipeline.ts'
import { refusalLog } from './records.ts'

/** What the public listener is put together from. */
export interface Parts {
  readonly clock: Clock
  readonly identityKeys: IdentityKeys
  readonly audit: AuditWriter
  /** null: the log names addresses as they are. */
  readonly pseudonyms: Pseudonyms | null
  readonly metrics: Metrics
  readonly credentials: SqlAdministration['credentials']
  readonly revocations: SqlAdministration['revocations']
  readonly tokens: Pipeline['verifiers']['jwt']
  /** Of the providers. */
  readonly issuers: readonly string[]
  readonly endpoints: readonly Endpoint[]
  readonly publicListener: FastifyInstance
}

/** Puts the pipeline before the listener and the forwarding behind it. `drain` tells what would never end by itself to go. */
export async function openPublicListener(gateway: Gateway, logger: Logger, parts: Parts): Promise<{ drain(): void }> {
  const { publicListener, endpoints, metrics } = parts
  const pipeline = await servingPipeline(gateway, parts)
  const { apiKeyHeader, maxBodySize } = pipeline
  const doors = {
    pipeline,
    upstreams: new Map(gateway.upstreams.map((upstream) => [upstream.name, upstream])),
    endpoints: new Map(endpoints.map((endpoint) => [endpoint.route.id, endpoint])),
    observe: refusalLog(logger, parts.pseudonyms),
    readAddress: clientAddressReader(gateway.server.trustedProxies),
    connections: new Connections(),
  }
  const forwarding = registerForwarding(publicListener, {
    upstreams: gateway.upstreams,
    headerRules: pipeline,
    apiKeyHeader,
    identityHeader: gateway.identity.header,
    maxBodySize,
    meter: metrics,
    streams: { standing: credentialStanding(parts), auditLog: parts.audit, clock: parts.clock },
  })
  openDoors(publicListener, doors, forwarding)
  return {
    drain() {
      doors.connections.drain()
      forwarding.drain()
    },
  }
}

async function servingPipeline(gateway: Gateway, parts: Parts): Promise<Pipeline> {
  const { clock, audit, metrics, credentials, revocations, tokens, identityKeys, issuers, endpoints, publicListener } = parts
  const limiter = new GcraLimiter(clock)
  return pipelineOf(gateway, {
    clock,
    identityKeys,
    issuers,
    revocations,
    endpoints: endpoints.map(({ route }) => route),
    addressLimiter: await addressLimiter(publicListener, limiter, addressLimitsOf(gateway)),
    limiter,
    failureLimiter: limiter,
    verifiers: { jwt: tokens, 'api-key': apiKeyVerifier({ store: credentials, environment: gateway.environment, clock }) },
    auditLog: audit,
    meter: metrics,
  })
}
