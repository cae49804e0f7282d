import { hash } from 'node:crypto'
import type { Gateway } from '../config/gateway.ts'
import { CredentialShape } from '../domain/credential-shape.ts'
import { guardedPaths } from '../domain/guarded-paths.ts'
import { headerClassifier } from '../domain/header-class.ts'
import type { Limit } from '../domain/limit.ts'
import type { Route } from '../domain/route.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { routeTable } from '../stores/memory/route-table.ts'
import { createAssertionIssuer } from '../tokens/assertion-issuer.ts'
import type { IdentityKeys } from '../tokens/identity-keys.ts'

/** What a pipeline asks of the world; what it was told comes from the configuration. */
export interface World
  extends Pick<
    Pipeline,
    'clock' | 'addressLimiter' | 'limiter' | 'failureLimiter' | 'verifiers' | 'revocations' | 'auditLog' | 'meter'
  > {
  readonly identityKeys: IdentityKeys
  /** Of all providers, the built-in one included. */
  readonly issuers: readonly string[]
  /** The gateway's own endpoints. */
  readonly endpoints: readonly Route[]
}

/** The limits that every request takes from, by its address. */
export function addressLimitsOf({ limits }: Gateway): Limit[] {
  return limits.filter((limit) => limit.key === 'ip' && limit.on === 'requests')
}

/** The one pipeline of a configuration: it serves, and it explains. */
export function pipelineOf(gateway: Gateway, { identityKeys, issuers, endpoints, ...world }: World): Pipeline {
  return {
    ...world,
    digest: (text) => hash('sha256', text),
    addressLimits: addressLimitsOf(gateway),
    maxBodySize: gateway.server.maxBodySize,
    routes: routeTable([...endpoints, ...gateway.routes]),
    credentialShape: new CredentialShape(issuers),
    classifyHeader: headerClassifier({
      apiKeyHeader: gateway.apiKeyHeader,
      identityHeaders: [gateway.identity.header, ...gateway.identity.reserved],
    }),
    apiKeyHeader: gateway.apiKeyHeader,
    declaredPlaces: { worker: guardedPaths(gateway.workerPaths), admin: guardedPaths(gateway.adminPaths) },
    limits: new Map(gateway.limits.map((limit) => [limit.name, limit])),
    failureLimits: gateway.limits.filter((limit) => limit.on === 'failures'),
    roles: gateway.roles,
    assertions: createAssertionIssuer({
      ...gateway.identity,
      keys: identityKeys,
      ttlMs: gateway.identity.ttl,
      upstreams: gateway.upstreams,
      clock: world.clock,
    }),
  }
}
