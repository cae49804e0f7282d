import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Inbound } from '../../src/domain/inbound.ts'
import type { Requirement, Route } from '../../src/domain/route.ts'
import { decide } from '../../src/pipeline/decide.ts'
import type { Pipeline } from '../../src/pipeline/pipeline.ts'
import { Refusal } from '../../src/problem/refusal.ts'
import { allowance, inbound, limit, pipelineFor, principal, route } from '../support/requests.ts'

type Case = readonly [
  name: string,
  request: Partial<Inbound> & { headers?: readonly string[] },
  routes: readonly Route[],
  expected: string,
  pipeline?: Partial<Pipeline>,
]

const JWT = ['Authorization', 'Bearer human']
const KEY = ['X-API-Key', 'key']
const requirement = (overrides: Partial<Requirement>): Requirement => ({
  scopes: [],
  anyScope: [],
  roles: [],
  permissions: [],
  actors: [],
  claims: {},
  ...overrides,
})
const needs = (overrides: Partial<Requirement>): Route[] => [route({ require: requirement(overrides) })]
const empty = allowance({ admitted: false, remaining: 0, retryAfterMs: 1_500 })
const verifiesAs = (overrides: Parameters<typeof principal>[0]): Partial<Pipeline> => ({
  verifiers: {
    jwt: { verify: () => ({ verified: true, principal: principal(overrides) }) },
    'api-key': { verify: () => ({ verified: false, reason: 'digest-mismatch' }) },
  },
})

/** In the order of the stages: name, request, routes, `code reason` or `granted`. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  takeAddressAllowance: [
    ['an address above its limit', {}, [route()], 'rate-limited address-limit', { addressLimiter: { take: () => empty } }],
    [
      'an address above its limit, before a malformed head is even looked at',
      { target: '/a/../b' },
      [],
      'rate-limited address-limit',
      { addressLimiter: { take: () => empty } },
    ],
  ],
  refuseAmbiguity: [
    [
      'what the parser gave up on',
      { malformed: { code: 'headers-too-large', reason: 'header-overflow' } },
      [],
      'headers-too-large header-overflow',
    ],
    ['two hosts', { headers: ['host', 'api.example.com'] }, [], 'request-malformed several-hosts'],
    ['no host', { rawHeaders: [] }, [], 'request-malformed host-missing'],
    ['a host with a path', { rawHeaders: ['Host', 'a/b'] }, [], 'request-malformed host-invalid'],
    ['a host with user information', { rawHeaders: ['Host', 'u@a'] }, [], 'request-malformed host-invalid'],
    ['an absolute form for another host', { target: 'http://other.example/x' }, [], 'request-malformed target-for-another-host'],
    [
      'an absolute form with user information',
      { target: 'http://u@api.example.com/x' },
      [],
      'request-malformed target-for-another-host',
    ],
    ['an asterisk form', { target: '*' }, [], 'request-malformed target-form'],
    ['an authority form', { target: 'api.example.com:443' }, [], 'request-malformed target-form'],
    [
      'both lengths',
      { headers: ['Content-Length', '1', 'Transfer-Encoding', 'chunked'] },
      [],
      'request-malformed several-lengths',
    ],
    ['two content lengths', { headers: ['Content-Length', '1', 'content-length', '1'] }, [], 'request-malformed several-lengths'],
    [
      'another transfer coding',
      { headers: ['Transfer-Encoding', 'gzip, chunked'] },
      [],
      'request-malformed transfer-coding-unknown',
    ],
    ['a signed length', { headers: ['Content-Length', '+1'] }, [], 'request-malformed length-invalid'],
    ['a body declared above the bound', { headers: ['Content-Length', '1001'] }, [], 'body-too-large declared-length'],
    ['a fragment in the query', { target: '/things/1?a#b' }, [], 'request-malformed query-characters'],
    ['an ambiguous path', { target: '/things/%2e%2e/1' }, [route()], 'path-ambiguous dot-segment'],
  ],
  matchRoute: [
    ['an undeclared path', { target: '/other' }, [route()], 'route-unknown no-route'],
    ['an undeclared method', { method: 'POST' }, [route()], 'method-not-allowed other-methods-only'],
    ['a method in lower case', { method: 'get' }, [route()], 'method-not-allowed other-methods-only'],
    ['another host', {}, [route({ hosts: ['other.example'] })], 'route-unknown no-route'],
    ['a rule past its date', { headers: JWT }, [route({ expiresAt: 1_500_000 })], 'route-unknown route-expired'],
  ],
  readCredential: [
    ['no credential', {}, [route()], 'credential-missing nothing-presented'],
    [
      'a credential in the query only',
      { target: '/things/1?access_token=human' },
      [route()],
      'credential-missing not-in-its-header',
    ],
    [
      'a credential in another spelling only',
      { headers: ['x_api_key', 'key'] },
      [route()],
      'credential-missing not-in-its-header',
    ],
    ['another scheme', { headers: ['Authorization', 'Basic eDp5'] }, [route()], 'credential-invalid scheme-unsupported'],
    [
      'a scheme that only begins like Bearer',
      { headers: ['Authorization', 'Bearerx human'] },
      [route()],
      'credential-invalid scheme-unsupported',
    ],
    ['two credentials', { headers: [...JWT, ...KEY] }, [route()], 'credential-ambiguous several-credentials'],
    [
      'two credentials on a PUBLIC route',
      { headers: [...JWT, ...KEY] },
      [route({ plane: 'PUBLIC' })],
      'credential-ambiguous several-credentials',
    ],
    [
      'two credentials before any kind is looked at',
      { headers: [...JWT, ...KEY], target: '/workers/1' },
      [route({ path: '/workers/:id' })],
      'credential-ambiguous several-credentials',
    ],
  ],
  matchKind: [
    [
      'a JWT on a worker path',
      { headers: JWT, target: '/workers/1' },
      [route({ path: '/workers/:id' })],
      'worker-refuses-jwt jwt-on-worker-path',
    ],
    [
      'a bearer scheme without a token on a worker path',
      { headers: ['Authorization', 'Bearer'], target: '/workers/1' },
      [route({ path: '/*' })],
      'worker-refuses-jwt jwt-on-worker-path',
    ],
    [
      'an API key on an admin path',
      { headers: KEY, target: '/admin/1' },
      [route({ path: '/*' })],
      'admin-refuses-api-key api-key-on-admin-path',
    ],
    [
      'an API key on an admin path of the human plane: I4 before I2',
      { headers: KEY, target: '/admin/1' },
      [route({ path: '/*', plane: 'HUMAN_ONLY' })],
      'admin-refuses-api-key api-key-on-admin-path',
    ],
    ['an API key on a human route', { headers: KEY }, [route({ plane: 'HUMAN_ONLY' })], 'plane-mismatch api-key-on-human-route'],
    [
      'a JWT on a PUBLIC route over worker paths',
      { headers: JWT, target: '/workers/1' },
      [route({ plane: 'PUBLIC', path: '/*' })],
      'worker-refuses-jwt jwt-on-worker-path',
    ],
    [
      'nothing on a PUBLIC route over worker paths',
      { target: '/workers/1' },
      [route({ plane: 'PUBLIC', path: '/*' })],
      'policy-denied public-rule-on-guarded-path',
    ],
    [
      'an API key on a PUBLIC route over admin paths',
      { headers: KEY, target: '/admin' },
      [route({ plane: 'PUBLIC', path: '/*' })],
      'admin-refuses-api-key api-key-on-admin-path',
    ],
  ],
  rivals: [
    [
      'a path that is another spelling of a closed one',
      { headers: KEY, target: '/Things/1' },
      [route({ id: 'rest', path: '/*' }), route({ plane: 'HUMAN_ONLY' })],
      'route-unknown spelling-of-another-route',
    ],
    [
      'an API key on another spelling of an admin route: I4 first',
      { headers: KEY, target: '/Things/1' },
      [route({ id: 'rest', path: '/*' }), route({ kind: 'admin' })],
      'admin-refuses-api-key api-key-on-admin-path',
    ],
    [
      'a JWT on another spelling of a worker route: I3 first',
      { headers: JWT, target: '/things/1/' },
      [route({ id: 'rest', path: '/*' }), route({ kind: 'worker' })],
      'worker-refuses-jwt jwt-on-worker-path',
    ],
    ['a key in the path', { headers: JWT, target: '/things/pgk_dev_x' }, [route()], 'credential-ambiguous credential-in-path'],
    [
      'a forwarded host that is none',
      { origin: { addresses: [], proto: 'http', host: 'a..b' } },
      [route()],
      'request-malformed forwarded-host-invalid',
    ],
  ],
  refuseGuessing: [
    [
      'an address whose failures ran out, with a valid credential too',
      { headers: JWT },
      [route()],
      'rate-limited failure-limit',
      { failureLimits: [limit({ name: 'guesses', on: 'failures' })], failureLimiter: { charge: () => {}, look: () => empty } },
    ],
  ],
  verify: [
    [
      'a token that does not verify',
      { headers: ['Authorization', 'Bearer forged'] },
      [route()],
      'credential-invalid signature-invalid',
    ],
    ['a key that does not verify', { headers: ['X-API-Key', 'forged'] }, [route()], 'credential-invalid digest-mismatch'],
    ['a human on a machine route', { headers: JWT }, [route({ plane: 'MACHINE_ONLY' })], 'plane-mismatch human-on-machine-route'],
    [
      'a machine token on a human route',
      { headers: JWT },
      [route({ plane: 'HUMAN_ONLY' })],
      'plane-mismatch machine-on-human-route',
      verifiesAs({ plane: 'MACHINE', actor: 'service' }),
    ],
    [
      'keys that cannot be had',
      { headers: JWT },
      [route()],
      'keys-unavailable keys-unreachable',
      {
        verifiers: {
          jwt: { verify: () => Promise.reject(new Refusal('keys-unavailable', 'keys-unreachable')) },
          'api-key': { verify: () => ({ verified: false, reason: 'digest-mismatch' }) },
        },
      },
    ],
  ],
  checkRevocation: [
    [
      'a revoked session',
      { headers: JWT },
      [route()],
      'credential-invalid session-revoked',
      { revocations: { revoked: () => 'session-revoked' } },
    ],
    [
      'a list that fails',
      { headers: JWT },
      [route()],
      'revocation-unavailable list-failed',
      { revocations: { revoked: () => Promise.reject(new Error('down')) } },
    ],
    [
      'a list that cannot tell',
      { headers: JWT },
      [route()],
      'revocation-unavailable list-behind',
      {
        revocations: {
          revoked: () => {
            throw new Refusal('revocation-unavailable', 'list-behind')
          },
        },
      },
    ],
  ],
  takeAllowances: [
    [
      'a subject above its limit',
      { headers: JWT },
      [route({ limits: ['per-subject'] })],
      'rate-limited subject-limit',
      { limiter: { take: () => empty } },
    ],
    [
      'a limit that was never declared',
      { headers: JWT },
      [route({ limits: ['nameless'] })],
      'limiter-unavailable limit-undeclared',
    ],
  ],
  authorize: [
    ['a missing scope', { headers: JWT }, needs({ scopes: ['things:read', 'things:write'] }), 'scope-insufficient scopes'],
    ['none of several scopes', { headers: JWT }, needs({ anyScope: ['x', 'y'] }), 'scope-insufficient any-scope'],
    ['a missing role', { headers: JWT }, needs({ roles: ['admin'] }), 'policy-denied roles'],
    ['a missing permission', { headers: JWT }, needs({ permissions: ['things:delete'] }), 'policy-denied permissions'],
    ['another actor', { headers: KEY }, needs({ actors: ['human'] }), 'policy-denied actor'],
    ['another value of a claim', { headers: JWT }, needs({ claims: { tier: 'silver' } }), 'policy-denied claims'],
    ['an absent claim', { headers: JWT }, needs({ claims: { absent: 'x' } }), 'policy-denied claims'],
    ['a claim of the prototype', { headers: JWT }, needs({ claims: { toString: 'x' } }), 'policy-denied claims'],
    [
      'a list for one of its members',
      { headers: JWT },
      needs({ claims: { groups: 'a' } }),
      'policy-denied claims',
      verifiesAs({ claims: { groups: ['a'] } }),
    ],
    [
      'a list of another length',
      { headers: JWT },
      needs({ claims: { groups: ['a', 'b'] } }),
      'policy-denied claims',
      verifiesAs({ claims: { groups: ['a'] } }),
    ],
    [
      'an object for a list',
      { headers: JWT },
      needs({ claims: { groups: ['a'] } }),
      'policy-denied claims',
      verifiesAs({ claims: { groups: { 0: 'a' } } }),
    ],
    [
      'an object with another member',
      { headers: JWT },
      needs({ claims: { org: { id: 1 } } }),
      'policy-denied claims',
      verifiesAs({ claims: { org: { no: 1 } } }),
    ],
  ],
  granted: [
    ['a human', { headers: JWT }, [route()], 'granted'],
    ['a machine', { headers: KEY }, [route()], 'granted'],
    ['a scheme in capitals', { headers: ['authorization', 'BEARER  human'] }, [route()], 'granted'],
    [
      'a worker with its key',
      { headers: KEY, target: '/workers/1' },
      [route({ path: '/workers/:id', kind: 'worker', plane: 'MACHINE_ONLY' })],
      'granted',
    ],
    [
      'an admin with a token',
      { headers: JWT, target: '/admin/1' },
      [route({ path: '/admin/:id', kind: 'admin', plane: 'HUMAN_ONLY' })],
      'granted',
    ],
    ['anybody on a PUBLIC route', {}, [route({ plane: 'PUBLIC' })], 'granted'],
    [
      'a forged token on a PUBLIC route, unread',
      { headers: ['Authorization', 'Bearer forged'] },
      [route({ plane: 'PUBLIC' })],
      'granted',
    ],
    ['HTTP/1.0 without a host', { httpVersion: '1.0', rawHeaders: JWT }, [route()], 'granted'],
    ['an absolute form for this host', { target: 'HTTP://API.example.com/things/1?x', headers: JWT }, [route()], 'granted'],
    ['an absolute form without a path', { target: 'http://api.example.com', headers: JWT }, [route({ path: '/' })], 'granted'],
    [
      'a host in a final dot and a port',
      { rawHeaders: ['host', 'API.example.com.:8080', ...JWT] },
      [route({ hosts: ['api.example.com'] })],
      'granted',
    ],
    ['an IPv6 host', { rawHeaders: ['host', '[::1]:8080', ...JWT] }, [route()], 'granted'],
    ['a subdomain', { rawHeaders: ['host', 'a.b.example.com', ...JWT] }, [route({ hosts: ['*.example.com'] })], 'granted'],
    ['a chunked body', { headers: [...JWT, 'Transfer-Encoding', 'Chunked'] }, [route()], 'granted'],
    ['a body within the bound', { headers: [...JWT, 'Content-Length', '1000'] }, [route()], 'granted'],
    ['a rule before its date', { headers: JWT }, [route({ expiresAt: 1_500_001 })], 'granted'],
    ['a subject within its limit', { headers: JWT }, [route({ limits: ['per-subject'] })], 'granted'],
    [
      'everything required, held',
      { headers: JWT },
      needs({
        scopes: ['things:read'],
        anyScope: ['x', 'things:read'],
        roles: ['viewer'],
        permissions: ['things:view'],
        actors: ['human'],
        claims: { tier: 'gold' },
      }),
      'granted',
    ],
    [
      'a structured claim, equal',
      { headers: JWT },
      needs({ claims: { org: { ids: [1, 2] }, none: null } }),
      'granted',
      verifiesAs({ claims: { org: { ids: [1, 2] }, none: null } }),
    ],
  ],
}

for (const [stage, cases] of Object.entries(CASES)) {
  describe(stage, () => {
    for (const [name, request, routes, expected, overrides] of cases) {
      test(`${expected === 'granted' ? 'lets through' : 'refuses'} ${name}`, async () => {
        const { pipeline } = pipelineFor(routes, overrides)
        assert.equal(await outcomeOf(inbound(request), pipeline), expected)
      })
    }
  })
}

async function outcomeOf(request: Inbound, pipeline: Pipeline): Promise<string> {
  try {
    await decide(request, pipeline, (proof) => proof)
    return 'granted'
  } catch (error) {
    if (error instanceof Refusal) return `${error.code} ${error.reason}`
    throw error
  }
}

test('the route, the canonical path and the signed identity come out', async () => {
  const { pipeline } = pipelineFor([route({ limits: ['per-subject'] })])
  const granted = await decide(
    inbound({ headers: JWT, target: '/%74hings/1?q=1&access%5ftoken&b=%zz' }),
    pipeline,
    (proof) => proof,
  ).catch((error: Refusal) => error)
  assert.ok(granted instanceof Refusal && granted.code === 'credential-ambiguous')
  const clean = await decide(inbound({ headers: JWT, target: '/%74hings/1?q=1&b=%zz' }), pipeline, (proof) => proof)
  assert.deepEqual(clean.facts.target, { path: '/things/1', query: 'q=1&b=%zz', host: 'api.example.com' })
  assert.deepEqual(clean.assertion, { header: 'X-Planegate-Assertion', value: 'signed' })
  assert.equal(clean.facts.allowances.length, 2)
})

test('a PUBLIC route gets no identity, and its query goes on without a credential', async () => {
  const { pipeline } = pipelineFor([route({ plane: 'PUBLIC' })])
  const granted = await decide(inbound({ target: '/things/1?a=1&access_token=human' }), pipeline, (proof) => proof)
  assert.equal(granted.assertion, null)
  assert.equal(granted.facts.principal, null)
  assert.equal(granted.facts.target.query, 'a=1')
})

test('limits by subject count subjects of different issuers apart', async () => {
  const keys: string[] = []
  const limits = new Map([
    ['a', limit({ name: 'a', key: 'subject' })],
    ['b', limit({ name: 'b', key: 'ip+subject' })],
    ['c', limit({ name: 'c', key: 'ip' })],
  ])
  const limiter = {
    take: (of: Parameters<Pipeline['limiter']['take']>[0], key: string) => {
      keys.push(key)
      return allowance({ limit: of })
    },
  }
  const { pipeline } = pipelineFor([route({ limits: ['a', 'b', 'c'] })], { limits, limiter })
  await decide(inbound({ headers: JWT }), pipeline, (proof) => proof)
  await decide(inbound({ headers: KEY }), pipeline, (proof) => proof)
  assert.deepEqual(keys, [
    '["https://issuer.example","user-1"]',
    '["192.0.2.7","https://issuer.example","user-1"]',
    '192.0.2.7',
    '[null,"acme"]',
    '["192.0.2.7",null,"acme"]',
    '192.0.2.7',
  ])
})

test('only a credential that is not valid takes from the limits on failures', async () => {
  const taken: string[] = []
  const failureLimiter = {
    look: () => allowance(),
    charge: (of: { readonly name: string }, key: string) => {
      taken.push(`${of.name} ${key}`)
    },
  }
  const { pipeline } = pipelineFor([route(), route({ id: 'public', path: '/public', plane: 'PUBLIC' })], {
    failureLimiter,
    failureLimits: [limit({ name: 'guesses', on: 'failures' })],
  })
  for (const [target, text] of [
    ['/things/1', 'human'],
    ['/public', 'forged'],
    ['/things/1', 'forged'],
  ]) {
    await outcomeOf(inbound({ target: target as string, headers: ['Authorization', `Bearer ${text}`] }), pipeline)
  }
  assert.deepEqual(taken, ['guesses 192.0.2.7'])
})
