import type { Cors } from '../domain/cors.ts'
import type { Limit } from '../domain/limit.ts'
import type { KeySource, Provider, ProviderPlane } from '../domain/provider.ts'
import type { Requirement } from '../domain/route.ts'
import type { Upstream } from '../domain/upstream.ts'
import { databaseUrl } from './database-url.ts'
import type { ConfiguredRoute, Gateway, RouteLines, SecretReference } from './gateway.ts'
import { listeningOrigin } from './network-values.ts'
import type { RouteEntry, RouteFile } from './route-schema.ts'
import { withHead } from './rules/uniqueness.ts'
import type { GatewayFile } from './schema.ts'
import type { Path, Source } from './source.ts'

/** A file and what its schema made of it. */
export interface Read<T> {
  readonly source: Source
  readonly content: T
}

/** A configuration without mistakes as the gateway uses it. */
export function compileGateway(
  { source, content }: Read<GatewayFile>,
  routeFiles: readonly Read<RouteFile>[],
  env: NodeJS.ProcessEnv,
): Gateway {
  const { environment, server, admin, invariants, identity, stores, audit, revocation } = content
  const publicOrigin = content.publicOrigin ?? listeningOrigin(server)
  return {
    file: source.file,
    files: [source, ...routeFiles.map((read) => read.source)].map(({ display, digest }) => ({ file: display, digest })),
    environment,
    publicOrigin,
    server,
    admin: { host: admin.host, port: admin.port, token: admin.token === undefined ? null : secretReference(admin.token, source) },
    strictStartup: environment === 'production' || content.startup.strict,
    apiKeyHeader: content.apiKeys.header,
    workerPaths: invariants.workerPaths,
    adminPaths: invariants.adminPaths,
    lines: {
      workerPaths: invariants.workerPaths.map((_, index) => lineOf(source, ['invariants', 'workerPaths', index])),
      adminPaths: invariants.adminPaths.map((_, index) => lineOf(source, ['invariants', 'adminPaths', index])),
      maxBodySize: lineOf(source, ['server', 'maxBodySize'], 'key'),
    },
    identity: {
      header: identity.header,
      issuer: identity.issuer ?? publicOrigin,
      ttl: identity.ttl,
      keyFile: source.absolute(identity.key.file),
      previousKeyFiles: identity.previousKeys.map(({ file }) => source.absolute(file)),
      binding: identity.binding,
      forwardClaims: identity.forwardClaims,
      reserved: identity.reserved,
    },
    revocation: {
      onUnavailable: revocation.onUnavailable,
      maxStaleness: revocation.maxStaleness,
      retention: revocation.retention,
    },
    stores: {
      database: { url: resolvedDatabase(stores.database.url, source, env), migrate: stores.database.migrate },
      redis: stores.redis ?? null,
    },
    audit: {
      directory: source.absolute(audit.directory),
      success: audit.success,
      limits: audit.limits,
      keyFile: audit.key === undefined ? null : source.absolute(audit.key.file),
      previousKeyFiles: audit.previousKeys.map(({ file }) => source.absolute(file)),
      onUnavailable: audit.onUnavailable,
      segment: audit.segment,
      checkpoint: audit.checkpoint,
      anchor:
        audit.anchor !== undefined && 'file' in audit.anchor
          ? { file: source.absolute(audit.anchor.file) }
          : (audit.anchor ?? null),
      pseudonymKey: audit.pseudonymize === undefined ? null : secretReference(audit.pseudonymize.key, source),
    },
    roles: new Map(Object.entries(content.roles).map(([role, permissions]) => [role, new Set(permissions)])),
    providerStatusExposure: content.providerStatus.exposure,
    developmentIssuer: content.development.issuer,
    providers: content.providers.map((provider, index) => compileProvider(provider, source, index)),
    limits: content.limits.map((limit, index) => compileLimit(limit, source, index)),
    upstreams: Object.entries(content.upstreams).map(([name, upstream]) => compileUpstream(name, upstream)),
    routes: routeFiles.flatMap((file) =>
      file.content.routes.map((route, index) => compileRoute(file, route, index, content.apiKeys.header)),
    ),
  }
}

function secretReference(written: SecretReference, source: Source): SecretReference {
  return 'env' in written ? written : { file: source.absolute(written.file) }
}

function resolvedDatabase(written: string | { readonly env: string }, source: Source, env: NodeJS.ProcessEnv): string {
  const reading = databaseUrl(written, source, env)
  if ('problem' in reading) throw new Error(`stores.database.url ${reading.problem}`)
  return reading.url
}

function compileProvider(provider: GatewayFile['providers'][number], source: Source, index: number): Provider {
  const plane: ProviderPlane = typeof provider.plane === 'string' ? { fixed: provider.plane } : provider.plane
  const { jwks, ...rest } = provider
  return { ...rest, plane, keys: keySource(jwks, source), source: lineOf(source, ['providers', index]) }
}

function keySource(jwks: GatewayFile['providers'][number]['jwks'], source: Source): KeySource {
  if (jwks === undefined) return { from: 'discovery' }
  return 'url' in jwks ? { from: 'url', url: jwks.url } : { from: 'file', path: source.absolute(jwks.file) }
}

function compileLimit({ name, key, on, rate, burst }: GatewayFile['limits'][number], source: Source, index: number): Limit {
  const { count, periodMs } = rate
  return { name, key, on, count, periodMs, burst: burst ?? count, source: lineOf(source, ['limits', index]) }
}

/** `file:line` of what stands at a path. */
function lineOf(source: Source, path: Path, at: 'key' | 'value' = 'value'): string {
  return `${source.display}:${source.place(path, at).line}`
}

function routeLines({ source, content }: Read<RouteFile>, route: RouteEntry, index: number): RouteLines {
  const line = (key: keyof RouteLines) => lineOf(source, ['routes', index, key], 'key')
  const inherited = route.plane === undefined && content.plane !== undefined
  return {
    plane: inherited ? lineOf(source, ['plane'], 'key') : line('plane'),
    kind: line('kind'),
    require: line('require'),
    expires: line('expires'),
    cors: line('cors'),
  }
}

function compileUpstream(name: string, { targets, audience, timeouts, connections }: GatewayFile['upstreams'][string]): Upstream {
  return { name, targets, audience: audience ?? name, timeouts, connections }
}

function compileRoute(
  { source, content }: Read<RouteFile>,
  route: RouteEntry,
  index: number,
  apiKeyHeader: string,
): ConfiguredRoute {
  const plane = route.plane ?? content.plane
  if (plane === undefined) throw new Error(`${source.display}: ${route.id} has no plane`)
  return {
    id: route.id,
    plane,
    kind: route.kind,
    hosts: route.hosts,
    methods: withHead(route.methods),
    path: route.path,
    stripPrefix: route.stripPrefix ?? null,
    upstream: route.upstream ?? content.upstream ?? null,
    limits: route.limits,
    require: compileRequirement(route.require),
    cookies: route.cookies,
    cors: compileCors(route, apiKeyHeader),
    expiresAt: route.expires ?? null,
    reason: route.reason ?? null,
    requirementWritten: route.require !== undefined,
    lines: routeLines({ source, content }, route, index),
    source: lineOf(source, ['routes', index]),
  }
}

function compileCors({ cors, methods }: RouteEntry, apiKeyHeader: string): Cors | null {
  if (cors === undefined) return null
  const { origins, credentials, maxAge } = cors
  const headers = cors.headers ?? ['Authorization', 'Content-Type', apiKeyHeader]
  return { origins, methods: withHead(cors.methods ?? methods), headers, credentials, maxAge }
}

function compileRequirement(written: RouteEntry['require']): Requirement | null {
  if (written === undefined || written === 'any') return null
  return {
    scopes: written.scopes ?? [],
    anyScope: written.anyScope ?? [],
    roles: written.roles ?? [],
    permissions: written.permissions ?? [],
    actors: written.actors ?? [],
    claims: written.claims ?? {},
  }
}
