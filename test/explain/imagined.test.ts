import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { callersFor, type Imagination, imagine } from '../../src/composition/imagined.ts'
import type { Gateway } from '../../src/config/gateway.ts'
import type { ImaginedCaller } from '../../src/explain/imagined-caller.ts'
import type { ImaginedRequest } from '../../src/explain/imagined-request.ts'
import { mintApiKey } from '../../src/stores/api-keys/format.ts'
import { forged, forgingKey } from '../attack/forge.ts'
import { GATEWAY, load, loaded, NOW, routes } from '../config/written-configuration.ts'

const CONFIG = GATEWAY.replace(
  'upstreams:',
  `  - { name: robots, plane: MACHINE, issuer: https://robots.example.com, audiences: [api], algorithms: [RS256] }
  - { name: mixed, plane: { claim: gty, human: [password], machine: [client-credentials] }, issuer: https://mixed.example.com, audiences: [api], algorithms: [RS256] }
upstreams:`,
).replace('roles: {', 'roles: { viewer: [accounts:view], editor: [accounts:edit, accounts:view],')

const ROUTES = routes(
  '{ id: accounts, path: /accounts/*, plane: BOTH, require: { scopes: [read, list], anyScope: [a, b] } }',
  '{ id: people, path: /people, require: { roles: [viewer, admin], permissions: [accounts:edit, accounts:view] } }',
  '{ id: agents, path: /agents, plane: MACHINE_ONLY, require: { actors: [agent] } }',
  '{ id: gold, path: /gold, plane: BOTH, require: { claims: { tier: gold, sub: alice } } }',
  '{ id: jobs, path: /workers/jobs, plane: MACHINE_ONLY, kind: worker, require: any }',
  '{ id: users, path: /admin/users, kind: admin, require: any }',
  '{ id: open, path: /open, plane: PUBLIC, reason: open data, cors: { origins: ["https://app.example.com"] } }',
  '{ id: brief, path: /brief, expires: 2026-06-30, require: any }',
  '{ id: hosted, path: /hosted, hosts: [api.example.com], require: any }',
)

const gateway: Gateway = loaded(load(CONFIG, ROUTES)).gateway

const caller = (overrides: Partial<ImaginedCaller> = {}): ImaginedCaller => ({
  kind: 'jwt',
  plane: 'HUMAN',
  issuer: 'https://id.example.com',
  subject: 'alice',
  scopes: [],
  roles: [],
  claims: {},
  ...overrides,
})
const KEY = caller({ kind: 'api-key', plane: 'MACHINE', issuer: null, scopes: ['read', 'list', 'a'] })
const get = (target: string, rest: Partial<ImaginedRequest> = {}): ImaginedRequest => ({ method: 'GET', target, ...rest })
const mixed = (claims: ImaginedCaller['claims'], plane: 'HUMAN' | 'MACHINE' = 'HUMAN') =>
  caller({ issuer: 'https://mixed.example.com', plane, claims })

type Row = [name: string, request: ImaginedRequest, caller: ImaginedCaller | null, expected: string]

/** Expected: code, or allow; reason; route. */
async function ask(imagination: Imagination, request: ImaginedRequest, who: ImaginedCaller | null, at = NOW): Promise<string> {
  const { decision, code, reason, route } = await imagination.decideAs(request, who, at)
  assert.equal(decision, code === null ? 'allow' : 'deny')
  return [code ?? 'allow', reason, route].filter((part) => part !== null).join(' ')
}

describe('a decision about an imagined request', () => {
  const imagination = imagine(gateway)
  const rows: Row[] = [
    ['the scopes suffice', get('/accounts/7'), caller({ scopes: ['read', 'list', 'b'] }), 'allow accounts'],
    ['a scope is missing', get('/accounts/7'), caller({ scopes: ['read', 'b'] }), 'scope-insufficient scopes accounts'],
    ['an API key', get('/accounts/7?x=1'), KEY, 'allow accounts'],
    ['nobody', get('/accounts/7'), null, 'credential-missing nothing-presented accounts'],
    ['nowhere', get('/elsewhere'), caller(), 'route-unknown no-route'],
    ['another method', { method: 'PUT', target: '/people' }, caller(), 'method-not-allowed other-methods-only'],
    ['a path with two readings', get('/accounts/../people'), caller(), 'path-ambiguous dot-segment'],
    ['no path', get('people'), caller(), 'request-malformed parser-error'],
    ['another form of target', get('*'), caller(), 'request-malformed target-form'],
    ['a token at a worker path', get('/workers/jobs'), caller(), 'worker-refuses-jwt jwt-on-worker-path jobs'],
    ['a key at an admin path', get('/admin/users'), KEY, 'admin-refuses-api-key api-key-on-admin-path users'],
    ['a key among people', get('/people'), KEY, 'plane-mismatch api-key-on-human-route people'],
    [
      'an issuer that nobody declared',
      get('/people'),
      caller({ issuer: 'https://evil.example' }),
      'credential-invalid issuer-unknown people',
    ],
    ['a token without issuer', get('/people'), caller({ issuer: null }), 'credential-invalid issuer-missing people'],
    [
      "a provider's plane wins over the one that is stated",
      get('/people'),
      caller({ issuer: 'https://robots.example.com' }),
      'plane-mismatch machine-on-human-route people',
    ],
    ['a plane by claim', get('/people'), mixed({ gty: 'client-credentials' }), 'plane-mismatch machine-on-human-route people'],
    [
      'a plane by claim that does not decide',
      get('/people'),
      mixed({ gty: 'other' }),
      'credential-invalid plane-undecided people',
    ],
    ['a plane by claim, which is not given', get('/agents'), mixed({}, 'MACHINE'), 'policy-denied actor agents'],
    ['claims', get('/gold'), caller({ claims: { tier: 'gold', sub: 'alice' } }), 'allow gold'],
    ['other claims', get('/gold'), caller({ claims: { tier: 'gold', sub: 'bob' } }), 'policy-denied claims gold'],
    ['what a key never has', get('/gold'), { ...KEY, claims: { tier: 'gold', sub: 'alice' } }, 'policy-denied claims gold'],
    [
      'a further credential',
      get('/open', { headers: [['X-API-Key', 'x']] }),
      caller(),
      'credential-ambiguous several-credentials open',
    ],
    [
      'one of its own',
      get('/gold', { headers: [['Authorization', 'Bearer x.y.z']] }),
      null,
      'credential-invalid token-not-base64url gold',
    ],
    ['a key of its own', get('/gold', { headers: [['X-API-Key', 'x']] }), null, 'credential-invalid key-malformed gold'],
    [
      'a genuine key of its own, which nobody knows',
      get('/gold', { headers: [['X-API-Key', mintApiKey('dev').key]] }),
      null,
      'credential-invalid unknown-key gold',
    ],
    [
      'another scheme',
      get('/gold', { headers: [['Authorization', 'Basic eDp5']] }),
      null,
      'credential-invalid scheme-unsupported gold',
    ],
    ['another host', get('/hosted'), caller(), 'route-unknown no-route'],
    ['its host', get('/hosted', { host: 'api.example.com:8080' }), caller(), 'allow hosted'],
    ['its host among the headers', get('/hosted', { headers: [['host', 'API.example.com']] }), caller(), 'allow hosted'],
    ['two hosts', get('/hosted', { host: 'a', headers: [['Host', 'b']] }), caller(), 'request-malformed several-hosts'],
    [
      'a preflight',
      {
        method: 'OPTIONS',
        target: '/open',
        headers: [
          ['Origin', 'https://app.example.com'],
          ['Access-Control-Request-Method', 'GET'],
        ],
      },
      null,
      'allow cors-preflight open',
    ],
    [
      'a WebSocket of a foreign page',
      get('/open', { upgrade: true, headers: [['Origin', 'https://evil.example']] }),
      null,
      'policy-denied cors-origin open',
    ],
    ['an endpoint of the gateway', get('/.well-known/jwks.json'), null, 'allow planegate:jwks'],
    ['an endpoint that is not enabled', get('/auth/provider/status'), null, 'route-unknown no-route'],
  ]
  for (const [name, request, who, expected] of rows) {
    it(`${name}: ${expected}`, async () => {
      assert.equal(await ask(imagination, request, who), expected)
    })
  }

  it('holds a rule that expires against the given time', async () => {
    assert.equal(await ask(imagination, get('/brief'), caller(), Date.UTC(2026, 5, 30, 23)), 'allow brief')
    assert.equal(await ask(imagination, get('/brief'), caller(), Date.UTC(2026, 6, 1)), 'route-unknown route-expired')
  })

  it('says which rule decided, and the status of a refusal', async () => {
    const outcome = await imagination.decideAs(get('/people'), KEY)
    assert.deepEqual([outcome.status, outcome.plane, outcome.rule?.endsWith('routes/main.yaml:5')], [403, 'HUMAN_ONLY', true])
    assert.equal((await imagination.decideAs(get('/open'), null)).status, null)
  })

  it('knows no key of a declared issuer, and asks nobody for one', async () => {
    const now = Math.floor(Date.now() / 1000)
    const token = forged(
      forgingKey('RS256'),
      { alg: 'RS256', kid: 'k' },
      { iss: 'https://id.example.com', aud: 'api', sub: 'a', exp: now + 60 },
    )
    const request = get('/gold', { headers: [['Authorization', `Bearer ${token}`]] })
    assert.equal(await ask(imagination, request, null), 'credential-invalid signing-key-unknown gold')
  })

  it('keeps callers who ask at once apart', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) => ask(imagination, get('/accounts/7'), index % 2 === 0 ? KEY : caller())),
    )
    assert.deepEqual(new Set(outcomes.filter((_, index) => index % 2 === 0)), new Set(['allow accounts']))
    assert.deepEqual(new Set(outcomes.filter((_, index) => index % 2 === 1)), new Set(['scope-insufficient scopes accounts']))
  })
})

describe('callers who have what a route asks for', () => {
  const imagination = imagine(gateway)
  const rows: [id: string, human: string, machineJwt: string, apiKey: string][] = [
    ['accounts', 'allow', 'allow', 'allow'],
    ['people', 'allow', 'plane-mismatch', 'plane-mismatch'],
    ['agents', 'plane-mismatch', 'policy-denied', 'policy-denied'],
    ['gold', 'allow', 'allow', 'policy-denied'],
    ['jobs', 'worker-refuses-jwt', 'worker-refuses-jwt', 'allow'],
    ['users', 'allow', 'plane-mismatch', 'admin-refuses-api-key'],
    ['open', 'allow', 'allow', 'allow'],
  ]
  for (const [id, ...expected] of rows) {
    it(`${id}: human ${expected[0]}, machine ${expected[1]}, key ${expected[2]}`, async () => {
      const route = gateway.routes.find((one) => one.id === id)
      assert.ok(route)
      const { human, machineJwt, apiKey } = callersFor(gateway, route)
      const request = get(route.path.replace('*', '7'))
      const codes = [human, machineJwt, apiKey].map(async (who) => (await imagination.decideAs(request, who)).code ?? 'allow')
      assert.deepEqual(await Promise.all(codes), expected)
    })
  }

  it('have the claim that tells their plane, with the value that the route asks for where it can be', () => {
    const only = { ...gateway, providers: gateway.providers.filter(({ name }) => name === 'mixed') }
    const require = { scopes: [], anyScope: [], roles: [], permissions: [], actors: [], claims: { gty: 'password' } }
    const { human, machineJwt } = callersFor(only, { require })
    assert.deepEqual([human.claims, machineJwt.claims], [{ gty: 'password' }, { gty: 'client-credentials' }])
  })

  it('have no issuer where no provider speaks for them, and are refused', async () => {
    const none = { ...gateway, providers: [] }
    const { human, apiKey } = callersFor(none, null)
    assert.equal(await ask(imagine(none), get('/people'), human), 'credential-invalid issuer-missing people')
    assert.equal(human.issuer ?? apiKey.issuer, null)
  })

  it('include those of the development issuer, without making its key', async () => {
    const development = loaded(
      load(`${CONFIG.replace(/providers:\n(?: {2}-.*\n)*/, '')}development: { issuer: true }\n`, ROUTES),
    ).gateway
    const { human, machineJwt } = callersFor(development, null)
    assert.deepEqual([human.claims, machineJwt.claims], [{ plane: 'human' }, { plane: 'machine' }])
    assert.equal(await ask(imagine(development), get('/brief'), human), 'allow brief')
    assert.equal(await ask(imagine(development), get('/brief'), machineJwt), 'plane-mismatch machine-on-human-route brief')
  })
})
