import type { Principal } from '../../src/domain/credential.ts'
import { CredentialShape } from '../../src/domain/credential-shape.ts'
import type { DecisionRecord } from '../../src/domain/decision-record.ts'
import { guardedPaths } from '../../src/domain/guarded-paths.ts'
import { headerClassifier } from '../../src/domain/header-class.ts'
import type { Inbound } from '../../src/domain/inbound.ts'
import type { Allowance, Limit } from '../../src/domain/limit.ts'
import type { Route } from '../../src/domain/route.ts'
import type { StreamRecord } from '../../src/domain/stream-record.ts'
import type { Pipeline } from '../../src/pipeline/pipeline.ts'
import { routeTable } from '../../src/stores/memory/route-table.ts'

/** A request as a listener would hand it on. `headers`: names and values alternating, after `Host`. */
export function inbound(overrides: Partial<Inbound> & { headers?: readonly string[] } = {}): Inbound {
  const { headers = [], ...rest } = overrides
  return {
    requestId: 'request-1',
    method: 'GET',
    target: '/things/1',
    rawHeaders: ['Host', 'api.example.com', ...headers],
    clientAddress: '192.0.2.7',
    httpVersion: '1.1',
    malformed: null,
    origin: { addresses: ['192.0.2.7'], proto: 'http', host: 'api.example.com' },
    userAgent: 'test',
    upgrade: false,
    arrivedAt: 0,
    ...rest,
  }
}

export function route(overrides: Partial<Route> = {}): Route {
  return {
    id: 'things',
    plane: 'BOTH',
    kind: 'user',
    hosts: [],
    methods: ['GET', 'HEAD'],
    path: '/things/:id',
    stripPrefix: null,
    upstream: 'things',
    limits: [],
    require: null,
    cookies: [],
    cors: null,
    expiresAt: null,
    source: 'routes/things.yaml:3',
    ...overrides,
  }
}

export function principal(overrides: Partial<Principal> = {}): Principal {
  return {
    kind: 'jwt',
    plane: 'HUMAN',
    actor: 'human',
    issuer: 'https://issuer.example',
    subject: 'user-1',
    credentialId: 'digest-1',
    session: 'session-1',
    sessionDigest: 'session-digest-1',
    tokenId: 'token-1',
    issuedAt: 1_000,
    expiresAt: 2_000,
    scopes: ['things:read'],
    roles: ['viewer'],
    account: null,
    team: null,
    clientId: null,
    delegation: null,
    claims: { sub: 'user-1', tier: 'gold' },
    ...overrides,
  }
}

export const machine = (): Principal =>
  principal({
    kind: 'api-key',
    plane: 'MACHINE',
    actor: 'service',
    issuer: null,
    subject: 'acme',
    credentialId: 'key-1',
    session: null,
    sessionDigest: null,
    claims: {},
  })

export const limit = (overrides: Partial<Limit> = {}): Limit => ({
  name: 'per-address',
  key: 'ip',
  on: 'requests',
  source: 'gateway.yaml:1',
  count: 60,
  periodMs: 60_000,
  burst: 10,
  ...overrides,
})

export function allowance(overrides: Partial<Allowance> = {}): Allowance {
  return { limit: limit(), admitted: true, remaining: 9, retryAfterMs: 0, resetMs: 1_000, ...overrides }
}

/** What a pipeline wrote down. */
export interface Written {
  readonly records: DecisionRecord[]
  readonly streams: StreamRecord[]
  readonly violations: string[]
  readonly limited: string[]
}

/** A pipeline over in-process ports: tokens and keys are believed by their text, everything else is real. */
export function pipelineFor(
  routes: readonly Route[],
  overrides: Partial<Pipeline> = {},
): { pipeline: Pipeline; written: Written } {
  const written: Written = { records: [], streams: [], violations: [], limited: [] }
  const pipeline: Pipeline = {
    clock: { now: () => 1_500_000, monotonic: () => 5 },
    digest: (text) => `digest of ${text.length} characters`,
    addressLimiter: { take: (of) => allowance({ limit: of }) },
    addressLimits: [limit()],
    maxBodySize: 1_000,
    routes: routeTable(routes),
    credentialShape: new CredentialShape(['https://issuer.example']),
    classifyHeader: headerClassifier({ apiKeyHeader: 'X-API-Key', identityHeaders: ['X-Planegate-Assertion'] }),
    apiKeyHeader: 'X-API-Key',
    declaredPlaces: { worker: guardedPaths(['/workers/*']), admin: guardedPaths(['/admin/*']) },
    verifiers: {
      jwt: {
        verify: (text) =>
          text === 'human'
            ? { verified: true, principal: principal() }
            : { verified: false, reason: 'signature-invalid', credentialId: 'd' },
      },
      'api-key': {
        verify: (text) =>
          text === 'key' ? { verified: true, principal: machine() } : { verified: false, reason: 'digest-mismatch' },
      },
    },
    revocations: { revoked: () => null },
    limiter: { take: (of) => allowance({ limit: of }) },
    failureLimiter: { charge: () => {}, look: (of) => allowance({ limit: of }) },
    failureLimits: [],
    limits: new Map([['per-subject', limit({ name: 'per-subject', key: 'subject' })]]),
    roles: new Map([['viewer', new Set(['things:view'])]]),
    assertions: { issue: () => ({ header: 'X-Planegate-Assertion', value: 'signed' }) },
    auditLog: {
      available: () => true,
      append: (record) => written.records.push(record),
      appendStreamClosed: (record) => written.streams.push(record),
      appendChange: async () => {},
    },
    meter: {
      decided: () => {},
      invariantViolated: (invariant) => written.violations.push(invariant),
      rateLimited: (name) => written.limited.push(name),
    },
    ...overrides,
  }
  return { pipeline, written }
}
