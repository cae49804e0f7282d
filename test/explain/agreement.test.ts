import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Explained } from '../support/explained.ts'
import { BASICS, gatewayFolder, RecordingUpstream, startGateway } from '../support/gateway.ts'
import { type Presentable, presentable } from './credentials.ts'

/**
 * What `explain` says is what the gateway does. The suites of attacks hold every row of theirs against it as well; here is what they do not send: broken
 * heads, other ways in, what the database knows, proxies, pages of other origins, an issuer that is down.
 */

const ROUTES = `
plane: BOTH
upstream: things
routes:
  - { id: both, path: /both/*, methods: [GET, POST, OPTIONS], require: any, limits: [per-subject] }
  - { id: human, path: /human/*, plane: HUMAN_ONLY, require: any }
  - { id: scoped, path: /scoped, require: { scopes: [things:read, things:write] } }
  - { id: any-scope, path: /any-scope, require: { anyScope: [things:read, things:write] } }
  - { id: role, path: /role, require: { roles: [admin] } }
  - { id: permitted, path: /permitted, require: { permissions: [things:delete] } }
  - { id: actor, path: /actor, require: { actors: [agent] } }
  - { id: claim, path: /claim, require: { claims: { tier: gold } } }
  - { id: closed, path: /Case/:id, plane: HUMAN_ONLY, require: any }
  - { id: hosted, path: /hosted, hosts: [api.example.com], require: any }
  - { id: page, path: /page, methods: [GET, PUT], require: any, cors: { origins: ['https://app.example'] } }
  - { id: public, path: /public/*, plane: PUBLIC, reason: test }
  - { id: reaching, path: /:anything/over, plane: PUBLIC, reason: test }
  - { id: strip, path: /v1/admin/*, stripPrefix: /v1, require: any }
`

let upstream: RecordingUpstream
let direct: Explained
let behind: Explained
let have: Presentable
const presented: string[] = []

const ends: (() => unknown)[] = []

before(async () => {
  upstream = await RecordingUpstream.start()
  ends.push(() => upstream.close())
  const config = (server: string) => `${BASICS.replace(/server: .*\n/, '')}
server: { host: 127.0.0.1, port: 0, maxBodySize: 1KiB, ${server} }
invariants: { workerPaths: [/workers/*], adminPaths: [/admin/*] }
limits:
  - { name: per-address, key: ip, rate: 100000/min, burst: 10000 }
  - { name: per-subject, key: subject, rate: 100000/min, burst: 10000 }
  - { name: guesses, key: ip, on: failures, rate: 100000/min, burst: 10000 }
roles: { admin: [things:delete] }
providers:
  - { name: down, plane: HUMAN, issuer: 'http://127.0.0.1:1', audiences: [a], algorithms: [RS256], jwks: { url: 'http://127.0.0.1:1/jwks' } }
providerStatus: { exposure: public }
upstreams: { things: { targets: ['${upstream.origin}'] } }
`
  const files = gatewayFolder(config(''), { things: ROUTES })
  have = await presentable(files.file)
  direct = await running(files)
  behind = await running(gatewayFolder(config('trustedProxies: [127.0.0.1]'), { things: ROUTES }))
})

after(async () => {
  for (const end of ends.reverse()) await end()
})

async function running(files: ReturnType<typeof gatewayFolder>): Promise<Explained> {
  const gateway = await startGateway(files)
  ends.push(() => gateway.stop())
  const explained = await Explained.beside(gateway)
  ends.push(() => explained.close())
  return explained
}

type Row = readonly [name: string, expected: string, lines: () => readonly string[]]

const token = (claims: Record<string, unknown> = {}, options = {}) => {
  const text = have.issuer.sign({ sub: 'alice', plane: 'human', scope: 'things:read', ...claims }, options)
  presented.push(text)
  return `Authorization: Bearer ${text}`
}
const key = (of: Exclude<keyof Presentable, 'issuer'>) => {
  presented.push(have[of], have[of].slice(25))
  return `X-API-Key: ${have[of]}`
}
const get = (path: string, ...headers: string[]) => [`GET ${path} HTTP/1.1`, 'Host: a', ...headers]
const WEBSOCKET = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]
/** 17 bytes. */
const SHORT_KEY = 'Sec-WebSocket-Key: cGxhbmVnYXRlIGV4cGxhaW4='
const PAGE = 'Origin: https://app.example'
const FOREIGN = 'Origin: https://evil.example'
const chunked = (path: string, length: number) =>
  get(path, 'Transfer-Encoding: chunked', '', length.toString(16), 'a'.repeat(length), '0')
const preflight = (origin: string, method: string, ...more: string[]) => [
  'OPTIONS /page HTTP/1.1',
  'Host: a',
  origin,
  `Access-Control-Request-Method: ${method}`,
  'Connection: close',
  ...more,
]

function rows(title: string, over: () => Explained, table: readonly Row[]): void {
  describe(title, () => {
    for (const [name, expected, lines] of table) {
      test(`${name}: ${expected}`, async () => {
        await over().send(`${lines().join('\r\n')}\r\n\r\n`)
        const { code, reason } = over().last
        assert.equal(code === null ? `allow${reason === null ? '' : ` ${reason}`}` : `${code} ${reason}`, expected)
      })
    }
  })
}

rows('ways in', () => direct, [
  ['CONNECT', 'request-malformed connect-not-served', () => ['CONNECT a:443 HTTP/1.1', 'Host: a:443']],
  ['HTTP/0.9', 'request-malformed version-unsupported', () => ['GET /both/x']],
  ['HTTP/1.0 without Host', 'allow', () => ['GET /public/x HTTP/1.0']],
  ['HTTP/2', 'request-malformed parser-error', () => ['PRI * HTTP/2.0', '', 'SM']],
  [
    'h2c',
    'allow',
    () => get('/both/x', token(), 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'),
  ],
  ['a WebSocket', 'allow', () => get('/both/x', token(), ...WEBSOCKET)],
  [
    'a WebSocket with a body',
    'request-malformed upgrade-with-body',
    () => get('/both/x', token(), ...WEBSOCKET, 'Content-Length: 3'),
  ],
  ['a WebSocket by POST', 'request-malformed upgrade-method', () => ['POST /both/x HTTP/1.1', 'Host: a', token(), ...WEBSOCKET]],
  ['a WebSocket by HTTP/1.0', 'request-malformed upgrade-method', () => ['GET /public/x HTTP/1.0', 'Host: a', ...WEBSOCKET]],
  ['a WebSocket that Connection does not name, which is none', 'allow', () => get('/public/x', ...WEBSOCKET.slice(1))],
  ['a WebSocket without version', 'request-malformed websocket-version', () => get('/public/x', ...WEBSOCKET.slice(0, 2))],
  [
    'a WebSocket with a short key',
    'request-malformed websocket-key',
    () => get('/public/x', ...WEBSOCKET.slice(0, 3), SHORT_KEY),
  ],
  ['a WebSocket to an endpoint', 'request-malformed upgrade-of-an-endpoint', () => get('/.well-known/jwks.json', ...WEBSOCKET)],
  ['an endpoint', 'allow', () => get('/.well-known/jwks.json')],
  ['another endpoint', 'allow', () => get('/auth/provider/status')],
  [
    'an endpoint by another method',
    'method-not-allowed other-methods-only',
    () => ['POST /.well-known/jwks.json HTTP/1.1', 'Host: a'],
  ],
  [
    'an endpoint with two credentials',
    'credential-ambiguous several-credentials',
    () => get('/auth/provider/status', token(), key('key')),
  ],
  [
    'Expect: 100-continue, refused',
    'credential-missing nothing-presented',
    () => get('/both/x', 'Content-Length: 5', 'Expect: 100-continue'),
  ],
  ['another expectation', 'allow', () => get('/public/x', 'Expect: miracles')],
])

rows('heads', () => direct, [
  ['no host', 'request-malformed host-missing', () => ['GET /both/x HTTP/1.1', 'A: b']],
  ['two hosts', 'request-malformed several-hosts', () => get('/both/x', 'Host: b')],
  ['a bad host', 'request-malformed host-invalid', () => ['GET /both/x HTTP/1.1', 'Host: a b']],
  ['two lengths', 'request-malformed parser-error', () => get('/both/x', 'Content-Length: 1', 'Transfer-Encoding: chunked')],
  ['a folded line', 'request-malformed parser-error', () => get('/both/x', 'A: b', ' c')],
  [
    'more headers than Node keeps by default',
    'credential-ambiguous several-credentials',
    () => get('/both/x', key('key'), ...Array(2_100).fill('A:b'), token()),
  ],
  ['headers too large', 'headers-too-large header-overflow', () => get('/both/x', `A: ${'b'.repeat(20_000)}`)],
  ['a body too large', 'body-too-large declared-length', () => get('/both/x', 'Content-Length: 2000')],
  ['a body that grows too large', 'body-too-large streamed-length', () => chunked('/public/x', 2_000)],
  ['a body as large as may be', 'allow', () => chunked('/public/x', 1_024)],
  ['a body that nobody reads', 'allow', () => chunked('/.well-known/jwks.json', 2_000)],
  ['a body that breaks off', 'request-malformed parser-error', () => get('/public/x', 'Transfer-Encoding: chunked', '', 'ZZ')],
  [
    'a refused one whose body breaks off',
    'credential-missing nothing-presented',
    () => get('/both/x', 'Transfer-Encoding: chunked', '', 'ZZ'),
  ],
  ['two origins', 'request-malformed several-origins', () => get('/both/x', PAGE, PAGE)],
  ['a named request', 'allow', () => get('/public/x', 'X-Request-Id: my-id')],
  ['a dot segment', 'path-ambiguous dot-segment', () => get('/both/../x')],
])

rows('routes', () => direct, [
  ['none', 'route-unknown no-route', () => get('/bth/x', token())],
  ['another method', 'method-not-allowed other-methods-only', () => ['DELETE /both/x HTTP/1.1', 'Host: a', token()]],
  ['another host', 'route-unknown no-route', () => get('/hosted', token())],
  ['its host', 'allow', () => ['GET /hosted HTTP/1.1', 'Host: API.example.com:8080', token()]],
  ['another spelling, without a route', 'route-unknown no-route', () => get('/case/1', token())],
  ['a PUBLIC rule on a worker path', 'policy-denied public-rule-on-guarded-path', () => get('/workers/over')],
  ['a token there', 'worker-refuses-jwt jwt-on-worker-path', () => get('/workers/over', token())],
  ['another spelling of a route that is closed more', 'route-unknown spelling-of-another-route', () => get('/case/over')],
  ['a path that is guarded upstream', 'admin-refuses-api-key api-key-on-admin-path', () => get('/v1/admin/x', key('key'))],
])

rows('credentials', () => direct, [
  ['a token', 'allow', () => get('/both/x', token())],
  ['a key', 'allow', () => get('/both/x', key('key'))],
  ['none', 'credential-missing nothing-presented', () => get('/both/x')],
  ['Basic', 'credential-invalid scheme-unsupported', () => get('/both/x', 'Authorization: Basic eDp5eHh4eHh4eHh4eHg=')],
  ['in the query', 'credential-missing not-in-its-header', () => get(`/both/x?access_token=${token().slice(22)}`)],
  ['in the path', 'credential-ambiguous credential-in-path', () => get(`/both/${key('key').slice(11)}`)],
  ['a token in the path', 'credential-ambiguous credential-in-path', () => get(`/both/${token().slice(22)}`)],
  [
    'a token under any name in the query',
    'credential-ambiguous several-credentials',
    () => get(`/both/x?q=${token().slice(22)}`, key('key')),
  ],
  ['an expired token', 'credential-invalid expired', () => get('/both/x', token({}, { now: Date.now() - 7_200_000 }))],
  [
    'a token for others',
    'credential-invalid audience-unknown',
    () => get('/both/x', token({}, { audience: 'https://other.example' })),
  ],
  [
    'a token of nobody known',
    'credential-invalid issuer-unknown',
    () => get('/both/x', token({ iss: 'https://nobody.example' })),
  ],
  ['no token at all', 'credential-invalid token-not-three-parts', () => get('/both/x', 'Authorization: Bearer garbage')],
  ['an issuer that is down', 'keys-unavailable keys-unreachable', () => get('/both/x', downToken())],
  ['a revoked session', 'credential-invalid session-revoked', () => get('/both/x', token({ sid: 'gone' }))],
  ['a revoked token', 'credential-invalid token-revoked', () => get('/both/x', token({ jti: 'gone' }))],
  ['an expired key', 'credential-invalid expired', () => get('/both/x', key('expiredKey'))],
  ['a revoked key', 'credential-invalid revoked', () => get('/both/x', key('revokedKey'))],
  ['a key from elsewhere', 'credential-invalid address-not-allowed', () => get('/both/x', key('distantKey'))],
  ['a key that nobody made', 'credential-invalid unknown-key', () => get('/both/x', key('unknownKey'))],
  ['garbage as a key', 'credential-invalid key-malformed', () => get('/both/x', 'X-API-Key: pgk_dev_x')],
  ['a machine on a human route', 'plane-mismatch machine-on-human-route', () => get('/human/x', token({ plane: 'machine' }))],
])

rows('policy', () => direct, [
  ['a scope is missing', 'scope-insufficient scopes', () => get('/scoped', token())],
  ['all scopes', 'allow', () => get('/scoped', token({ scope: 'things:write things:read' }))],
  ['none of the scopes', 'scope-insufficient any-scope', () => get('/any-scope', token({ scope: 'x' }))],
  ['one of the scopes', 'allow', () => get('/any-scope', key('key'))],
  ['no role', 'policy-denied roles', () => get('/role', token({ roles: ['viewer'] }))],
  ['the role', 'allow', () => get('/role', token({ roles: ['admin'] }))],
  ['no permission', 'policy-denied permissions', () => get('/permitted', token({ roles: ['viewer'] }))],
  ['the permission', 'allow', () => get('/permitted', token({ roles: ['admin'] }))],
  ['another actor', 'policy-denied actor', () => get('/actor', token())],
  ['another claim', 'policy-denied claims', () => get('/claim', token({ tier: 'silver' }))],
  ['no claim', 'policy-denied claims', () => get('/claim', token())],
  ['the claim', 'allow', () => get('/claim', token({ tier: 'gold' }))],
])

rows('pages', () => direct, [
  ['a preflight', 'allow cors-preflight', () => preflight(PAGE, 'PUT')],
  ['from elsewhere', 'policy-denied cors-origin', () => preflight(FOREIGN, 'PUT')],
  ['for a header', 'policy-denied cors-headers', () => preflight(PAGE, 'PUT', 'Access-Control-Request-Headers: x-odd')],
  ['for another method', 'method-not-allowed other-methods-only', () => preflight(PAGE, 'DELETE')],
  ['a request that a page may read', 'credential-missing nothing-presented', () => get('/page', PAGE)],
  ['a WebSocket from elsewhere', 'policy-denied cors-origin', () => get('/page', FOREIGN, token(), ...WEBSOCKET)],
])

rows('proxies that are trusted', () => behind, [
  ['an address that it reports', 'allow', () => get('/public/x', 'X-Forwarded-For: 192.0.2.7')],
  ['one that is none', 'request-malformed forwarded-address-invalid', () => get('/public/x', 'X-Forwarded-For: nobody')],
  [
    'two that differ',
    'request-malformed forwarded-headers-differ',
    () => get('/public/x', 'X-Forwarded-For: 192.0.2.7', 'Forwarded: for=192.0.2.8'),
  ],
  ['a host that it reports', 'credential-missing nothing-presented', () => get('/hosted', 'X-Forwarded-Host: api.example.com')],
  ['a host that is none', 'request-malformed forwarded-host-invalid', () => get('/public/x', 'X-Forwarded-Host: a b')],
])

test('the others of a row come the same way', async () => {
  await behind.send(`${get('/hosted', 'X-Forwarded-Host: api.example.com').join('\r\n')}\r\n\r\n`)
  assert.deepEqual(behind.last.row, { human: 'allow', machineJwt: 'allow', apiKey: 'allow', nobody: 'credential-missing' })
})

test('explain agrees with the gateway on every request above, and shows no credential', async () => {
  assert.ok((await direct.agree(presented)) > 60)
  assert.equal(await behind.agree([]), 6)
})

/** A token of the issuer that is down. Nobody comes to look at its signature. */
function downToken(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: 'http://127.0.0.1:1', aud: 'a', sub: 'bob', exp: 4_000_000_000, iat: 1_000_000_000 }
  const text = `${part({ alg: 'RS256', typ: 'JWT', kid: 'k' })}.${part(claims)}.c2lnbmF0dXJl`
  presented.push(text)
  return `Authorization: Bearer ${text}`
}
