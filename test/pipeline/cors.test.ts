import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Cors } from '../../src/domain/cors.ts'
import type { Inbound } from '../../src/domain/inbound.ts'
import type { Route } from '../../src/domain/route.ts'
import { type Adjudication, adjudicate } from '../../src/pipeline/adjudicate.ts'
import type { Pipeline } from '../../src/pipeline/pipeline.ts'
import { Refusal } from '../../src/problem/refusal.ts'
import { allowance, inbound, pipelineFor, route, type Written } from '../support/requests.ts'

const APP = 'https://app.example.com'
const JWT = ['Authorization', 'Bearer human']
const KEY = ['X-API-Key', 'key']

const cors = (overrides: Partial<Cors> = {}): Cors => ({
  origins: [APP, 'http://127.0.0.1:5173'],
  methods: ['GET', 'HEAD', 'PUT'],
  headers: ['Authorization', 'Content-Type', 'X-API-Key'],
  credentials: false,
  maxAge: 600_000,
  ...overrides,
})
const things = (overrides: Partial<Route> = {}): Route =>
  route({ plane: 'HUMAN_ONLY', methods: ['GET', 'HEAD', 'PUT', 'DELETE'], cors: cors(), ...overrides })

interface Asked {
  readonly origin?: string
  readonly method?: string
  readonly headers?: string
  readonly more?: readonly string[]
  readonly target?: string
}

/** What a browser sends before a request that is not simple. */
function preflight({ origin = APP, method = 'PUT', headers, more = [], target = '/things/1' }: Asked = {}): Inbound {
  const asked = ['Origin', origin, 'Access-Control-Request-Method', method]
  if (headers !== undefined) asked.push('Access-Control-Request-Headers', headers)
  return inbound({ method: 'OPTIONS', target, headers: [...asked, ...more] })
}

interface Judged {
  readonly adjudication: Adjudication
  readonly written: Written
}

async function judge(request: Inbound, routes: readonly Route[], overrides: Partial<Pipeline> = {}): Promise<Judged> {
  const { pipeline, written } = pipelineFor(routes, overrides)
  return { adjudication: await adjudicate(request, pipeline, () => {}), written }
}

/** `preflight`, `granted`, or `code reason`. */
function outcome({ adjudication, written }: Judged): string {
  const { granted } = adjudication
  if (granted !== null) return granted.facts.preflight ? 'preflight' : 'granted'
  adjudication.refuse()
  return `${written.records[0]?.code} ${written.records[0]?.reason}`
}

describe('preflights', () => {
  const guarded = (path: string, overrides: Partial<Route> = {}) => [things({ path, plane: 'BOTH', ...overrides })]
  const table: [name: string, request: Inbound, routes: Route[], expected: string][] = [
    ['a declared origin and method', preflight(), [things()], 'preflight'],
    ['another declared origin', preflight({ origin: 'http://127.0.0.1:5173' }), [things()], 'preflight'],
    ['declared headers in any case', preflight({ headers: 'authorization,CONTENT-TYPE, x-api-key' }), [things()], 'preflight'],
    ['an empty list of headers', preflight({ headers: ' ,' }), [things()], 'preflight'],
    [
      'any origin on a PUBLIC route',
      preflight({ origin: 'null' }),
      [things({ plane: 'PUBLIC', cors: cors({ origins: ['*'] }) })],
      'preflight',
    ],
    [
      'a route that lists OPTIONS itself',
      preflight({ method: 'OPTIONS' }),
      [things({ methods: ['OPTIONS'], cors: cors({ methods: ['OPTIONS'] }) })],
      'preflight',
    ],
    ['a path whose OPTIONS is another route', preflight(), [things(), route({ id: 'own', methods: ['OPTIONS'] })], 'preflight'],
    ['a worker path', preflight({ target: '/workers/1' }), guarded('/workers/:id'), 'preflight'],
    [
      'a worker path under a prefix',
      preflight({ target: '/api/workers/1' }),
      guarded('/api/workers/:id', { stripPrefix: '/api' }),
      'preflight',
    ],
    ['an admin path', preflight({ target: '/admin/1' }), guarded('/admin/:id', { kind: 'admin' }), 'preflight'],
    ['a token that nobody looks at', preflight({ more: ['Authorization', 'Bearer forged'] }), [things()], 'preflight'],

    ['an undeclared method of the route', preflight({ method: 'DELETE' }), [things()], 'policy-denied cors-method'],
    [
      'a second method',
      preflight({ more: ['access-control-request-method', 'DELETE'] }),
      [things()],
      'policy-denied cors-method',
    ],
    ['an undeclared header', preflight({ headers: 'authorization, x-other' }), [things()], 'policy-denied cors-headers'],
    [
      'an undeclared header on a second line',
      preflight({ headers: 'authorization', more: ['access-control-request-headers', 'x-other'] }),
      [things()],
      'policy-denied cors-headers',
    ],
    ['a wildcard for headers', preflight({ headers: '*' }), [things()], 'policy-denied cors-headers'],
    [
      'a header that only begins like a declared one',
      preflight({ headers: 'authorization-x' }),
      [things()],
      'policy-denied cors-headers',
    ],
    ['a method that the path does not have', preflight({ method: 'PATCH' }), [things()], 'method-not-allowed other-methods-only'],
    ['a method in lower case', preflight({ method: 'put' }), [things()], 'method-not-allowed other-methods-only'],
    ['a path that nobody declared', preflight({ target: '/other' }), [things()], 'route-unknown no-route'],
    ['a rule past its date', preflight(), [things({ expiresAt: 1_500_000 })], 'route-unknown route-expired'],
    ['two origins', preflight({ more: ['origin', APP] }), [things()], 'request-malformed several-origins'],
    ['two credentials (I1)', preflight({ more: [...JWT, ...KEY] }), [things()], 'credential-ambiguous several-credentials'],
    [
      'a JWT on a worker path (I3)',
      preflight({ target: '/workers/1', more: JWT }),
      guarded('/workers/:id'),
      'worker-refuses-jwt jwt-on-worker-path',
    ],
    [
      'an API key on an admin path (I4)',
      preflight({ target: '/admin/1', more: KEY }),
      guarded('/admin/:id'),
      'admin-refuses-api-key api-key-on-admin-path',
    ],
    [
      'an undeclared origin on an admin path',
      preflight({ target: '/admin/1', origin: 'https://evil.example' }),
      guarded('/admin/:id'),
      'policy-denied cors-origin',
    ],

    [
      'OPTIONS without an origin is no preflight',
      inbound({ method: 'OPTIONS', headers: ['Access-Control-Request-Method', 'PUT'] }),
      [things()],
      'method-not-allowed other-methods-only',
    ],
    [
      'OPTIONS without a method is no preflight',
      inbound({ method: 'OPTIONS', headers: ['Origin', APP] }),
      [things()],
      'method-not-allowed other-methods-only',
    ],
    ['an upgrade is no preflight', { ...preflight(), upgrade: true }, [things()], 'method-not-allowed other-methods-only'],
    [
      'OPTIONS of a route, with a token',
      inbound({ method: 'OPTIONS', headers: ['Origin', APP, ...JWT] }),
      [things({ methods: ['OPTIONS'] })],
      'granted',
    ],
    [
      'a preflight where no route declares cors',
      preflight(),
      [things({ cors: null }), route({ id: 'own', methods: ['OPTIONS'], plane: 'PUBLIC' })],
      'granted',
    ],
    [
      'a preflight where no route declares cors or OPTIONS',
      preflight(),
      [things({ cors: null })],
      'method-not-allowed other-methods-only',
    ],
    [
      'a GET that looks like a preflight',
      inbound({ headers: ['Origin', APP, 'Access-Control-Request-Method', 'PUT'] }),
      [things()],
      'credential-missing nothing-presented',
    ],
    [
      'a PUBLIC rule over a worker path is still none',
      inbound({ target: '/workers/1', headers: ['Origin', APP] }),
      [things({ plane: 'PUBLIC', path: '/*' })],
      'policy-denied public-rule-on-guarded-path',
    ],
  ]
  for (const [name, request, routes, expected] of table) {
    test(`${name}: ${expected}`, async () => {
      const judged = await judge(request, routes)
      assert.equal(outcome(judged), expected)
      const cannotBeReadAsYes = judged.adjudication.refuse().headers['access-control-allow-methods']
      assert.equal(cannotBeReadAsYes, undefined)
    })
  }

  const attacks = [
    'null',
    'https://app.example.com.evil.com',
    'https://evil-app.example.com',
    'https://evil.com/https://app.example.com',
    'https://app.example.com.',
    'https://app.example.com:443',
    'https://app.example.com:8443',
    'http://app.example.com',
    'https://APP.example.com',
    'HTTPS://app.example.com',
    'https://app.example.com/',
    'https://user@app.example.com',
    'https://app.example.com@evil.com',
    'https://app.example.com, https://evil.com',
    'https://app.example.com https://evil.com',
    'https://app.example.comx',
    'https://app.example.co',
    'https://appXexample.com',
    'http://127.0.0.1:51730',
    'app.example.com',
    '*',
    '',
    'constructor',
  ]
  for (const origin of attacks) {
    test(`the origin ${JSON.stringify(origin)} is not declared`, async () => {
      const asked = await judge(preflight({ origin }), [things()])
      assert.equal(outcome(asked), 'policy-denied cors-origin')
      const { headers, status } = asked.adjudication.refuse()
      assert.equal(status, 403)
      assert.deepEqual(corsOf(headers), {})
      const refused = (await judge(inbound({ headers: ['Origin', origin] }), [things()])).adjudication.refuse()
      assert.deepEqual(corsOf(refused.headers), {})
      assert.equal(refused.headers.vary, 'Origin')
      const socket = await judge(inbound({ upgrade: true, headers: ['Origin', origin, ...JWT] }), [things()])
      assert.equal(outcome(socket), 'policy-denied cors-origin')
    })
  }

  test('the granted route leads nowhere, and the record says what it was', async () => {
    const limited = things({ limits: ['per-subject'], cookies: ['session'], require: null, kind: 'worker', plane: 'BOTH' })
    const { adjudication, written } = await judge(preflight(), [limited])
    const facts = adjudication.granted?.facts
    assert.equal(adjudication.granted?.assertion, null)
    assert.deepEqual(
      [facts?.route.id, facts?.route.upstream, facts?.route.plane, facts?.route.kind, facts?.principal, facts?.allowances.length],
      ['things', null, 'PUBLIC', 'worker', null, 1],
    )
    adjudication.answered(204)
    const [record] = written.records
    assert.deepEqual(
      [record?.decision, record?.route, record?.status, record?.reason, record?.upstream, record?.actor, record?.method],
      ['allow', 'things', 204, 'cors-preflight', null, null, 'OPTIONS'],
    )
  })

  test('an address above its limit gets no preflight answered', async () => {
    const take = () => allowance({ admitted: false, remaining: 0, retryAfterMs: 1_500 })
    const judged = await judge(preflight(), [things()], { addressLimiter: { take } })
    assert.equal(outcome(judged), 'rate-limited address-limit')
    assert.deepEqual(corsOf(judged.adjudication.refuse().headers), {})
  })
})

describe('refusals', () => {
  const readable = {
    'access-control-allow-origin': APP,
    'access-control-expose-headers': 'X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate',
  }
  const from = (headers: readonly string[], rest: Partial<Inbound> = {}) =>
    inbound({ headers: ['Origin', APP, ...headers], ...rest })
  const empty = { take: () => allowance({ admitted: false, remaining: 0, retryAfterMs: 1_500 }) }
  const table: [name: string, status: number, request: Inbound, route: Partial<Route>, pipeline?: Partial<Pipeline>][] = [
    ['no credential', 401, from([]), {}],
    ['another plane', 403, from(KEY), {}],
    ['a subject above its limit', 429, from(JWT), { limits: ['per-subject'] }, { limiter: empty }],
    [
      'revocations that cannot be read',
      503,
      from(JWT),
      {},
      { revocations: { revoked: () => Promise.reject(new Error('down')) } },
    ],
    ['an address above its limit, before any route is known', 429, from(JWT), {}, { addressLimiter: empty }],
    ['a path that nobody declared', 404, from(JWT, { target: '/other' }), {}],
    ['an ambiguous path', 400, from(JWT, { target: '/things/../1' }), {}],
  ]
  for (const [name, status, request, overrides, pipeline] of table) {
    test(`${name}: a ${status} that the page can read`, async () => {
      const answer = (await judge(request, [things(overrides)], pipeline)).adjudication.refuse()
      assert.equal(answer.status, status)
      assert.deepEqual(corsOf(answer.headers), readable)
      assert.equal(answer.headers.vary, 'Origin')
      assert.equal(answer.headers['cache-control'], 'no-store')
    })
  }

  test('a failure after the grant is readable too', async () => {
    const { adjudication } = await judge(from(JWT), [things()])
    const answer = adjudication.refuse(new Refusal('upstream-timeout', 'headers-timeout'))
    assert.deepEqual([answer.status, corsOf(answer.headers)], [504, readable])
  })

  test('with credentials the browser is told so', async () => {
    const answer = (await judge(from([]), [things({ cors: cors({ credentials: true }) })])).adjudication.refuse()
    assert.deepEqual(corsOf(answer.headers), { ...readable, 'access-control-allow-credentials': 'true' })
  })

  test('for any origin the answer is the same for all', async () => {
    const open = things({ plane: 'PUBLIC', path: '/*', cors: cors({ origins: ['*'] }) })
    const answer = (await judge(inbound({ target: '/workers/1' }), [open])).adjudication.refuse()
    assert.equal(answer.status, 403)
    assert.deepEqual(corsOf(answer.headers), { ...readable, 'access-control-allow-origin': '*' })
    assert.equal(answer.headers.vary, undefined)
  })

  test('any origin of one route opens nothing of another, nor what comes before a route is known', async () => {
    const open = things({ id: 'open', path: '/open', plane: 'PUBLIC', cors: cors({ origins: ['*'] }) })
    for (const target of ['/things/1', '/nowhere']) {
      const answer = (await judge(from([], { target }), [open, things({ cors: null })])).adjudication.refuse()
      assert.deepEqual([corsOf(answer.headers), answer.headers.vary], [{}, undefined], target)
    }
  })

  test('a route without cors says nothing, whoever asks', async () => {
    const answer = (
      await judge(from([]), [things({ cors: null }), things({ id: 'other', path: '/other' })])
    ).adjudication.refuse()
    assert.deepEqual([answer.status, corsOf(answer.headers), answer.headers.vary], [401, {}, undefined])
  })

  test('a method that pages may not use is not readable', async () => {
    const answer = (await judge(from([], { method: 'DELETE' }), [things()])).adjudication.refuse()
    assert.deepEqual([answer.status, corsOf(answer.headers), answer.headers.vary], [401, {}, 'Origin'])
  })
})

describe('WebSockets', () => {
  const upgrade = (headers: readonly string[]) => inbound({ upgrade: true, headers })
  const table: [name: string, request: Inbound, route: Partial<Route>, expected: string][] = [
    ['a declared origin', upgrade(['Origin', APP, ...JWT]), {}, 'granted'],
    ['no origin: no browser', upgrade(JWT), {}, 'granted'],
    ['an undeclared origin', upgrade(['Origin', 'https://evil.example', ...JWT]), {}, 'policy-denied cors-origin'],
    [
      'an undeclared origin on a PUBLIC route',
      upgrade(['Origin', 'https://evil.example']),
      { plane: 'PUBLIC' },
      'policy-denied cors-origin',
    ],
    ['an undeclared origin without cors', upgrade(['Origin', 'https://evil.example', ...JWT]), { cors: null }, 'granted'],
    ['any origin', upgrade(['Origin', 'null']), { plane: 'PUBLIC', cors: cors({ origins: ['*'] }) }, 'granted'],
    ['two origins', upgrade(['Origin', APP, 'Origin', APP, ...JWT]), { cors: null }, 'request-malformed several-origins'],
    [
      'two credentials before the origin',
      upgrade(['Origin', 'null', ...JWT, ...KEY]),
      {},
      'credential-ambiguous several-credentials',
    ],
  ]
  for (const [name, request, overrides, expected] of table) {
    test(`${name}: ${expected}`, async () => assert.equal(outcome(await judge(request, [things(overrides)])), expected))
  }

  test('a request that is no upgrade passes whatever its origin', async () => {
    assert.equal(outcome(await judge(inbound({ headers: ['Origin', 'https://evil.example', ...JWT] }), [things()])), 'granted')
  })
})

function corsOf(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')))
}
