import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { testCases } from '../../src/cli/test-cases.ts'
import { folderOf, GATEWAY, routes } from '../config/written-configuration.ts'
import { recordedIo } from './recorded-io.ts'

/** A request of a table is decided as if it had been sent: by the parser, the proxies that are trusted, and what comes after the decision. */

const CONFIG = `${GATEWAY.replace('algorithms: [RS256] }', 'algorithms: [RS256], requiredClaims: [sub, tenant], claims: { roles: realm.roles } }')}
server: { trustedProxies: [10.0.0.0/8] }
`
const ROUTES = routes(
  '{ id: read, path: /accounts/*, require: { scopes: [accounts:read] } }',
  '{ id: scoped, path: /scoped, require: { claims: { scope: "a b", iss: "https://id.example.com", azp: app } } }',
  '{ id: open, path: /open, methods: [GET, POST], plane: PUBLIC, reason: open data }',
  '{ id: pages, path: /pages, plane: PUBLIC, reason: open, cors: { origins: ["https://app.example.com"] } }',
  '{ id: inner, path: /inner, hosts: [inner.example.com], plane: PUBLIC, reason: open }',
)

async function run(text: string, ...argv: string[]) {
  const folder = folderOf({ 'gateway.yaml': CONFIG, 'routes/main.yaml': ROUTES, 'cases.yaml': text })
  const io = recordedIo()
  const code = await testCases([join(folder, 'cases.yaml'), ...argv], io)
  return { code, out: io.written.out.replaceAll(`${folder}/`, '') }
}

const table = (as: string, request: string, expect: string, callers = '') =>
  `config: ./gateway.yaml\ncallers: { reader: { provider: people, scopes: [a, b], claims: { azp: app } }${callers} }\ncases:\n  - { name: it, as: ${as}, request: ${request}, expect: ${expect} }\n`

const open = (parts: string) => `{ path: /open, ${parts} }`
const WEBSOCKET = 'Connection: Upgrade, Upgrade: websocket'

describe('a request of a table', () => {
  const rows: [name: string, request: string, expect: string][] = [
    ['a WebSocket', open('upgrade: true'), '{ decision: allow, route: open }'],
    ['by POST', open('method: POST, upgrade: true'), '{ code: request-malformed, reason: upgrade-method, route: open }'],
    [
      'with a length',
      open('upgrade: true, headers: { Content-Length: "5" }'),
      '{ code: request-malformed, reason: upgrade-with-body }',
    ],
    ['by its headers', open(`headers: { ${WEBSOCKET} }`), '{ code: request-malformed, reason: websocket-version }'],
    [
      'with a key of its own',
      open('upgrade: true, headers: { Sec-WebSocket-Key: short }'),
      '{ code: request-malformed, reason: websocket-key }',
    ],
    [
      'by its headers, of another page',
      `{ path: /pages, headers: { ${WEBSOCKET}, Origin: "https://evil.example" } }`,
      '{ code: policy-denied, reason: cors-origin }',
    ],
    [
      'to an endpoint',
      '{ path: /.well-known/jwks.json, upgrade: true }',
      '{ code: request-malformed, reason: upgrade-of-an-endpoint }',
    ],
    ['an endpoint', 'GET /.well-known/jwks.json', '{ decision: allow, status: 200 }'],
    [
      'a host that a trusted proxy reports',
      '{ path: /inner, address: 10.1.1.1, headers: { X-Forwarded-Host: inner.example.com } }',
      '{ decision: allow, route: inner }',
    ],
    [
      'a host that anybody else reports',
      '{ path: /inner, address: 11.1.1.1, headers: { X-Forwarded-Host: inner.example.com } }',
      'route-unknown',
    ],
    [
      'two ways that differ',
      open('address: 10.1.1.1, headers: { X-Forwarded-For: 9.9.9.9, Forwarded: for=8.8.8.8 }'),
      '{ code: request-malformed, reason: forwarded-headers-differ }',
    ],
    ['a control byte', open('headers: { X-A: "a\\x01b" }'), '{ code: request-malformed, reason: parser-error }'],
    ['CONNECT', 'CONNECT host.example:443', '{ code: request-malformed, reason: connect-not-served }'],
    ['a method that nobody knows', 'FETCH /open', '{ code: request-malformed, reason: parser-error }'],
  ]
  for (const [name, request, expect] of rows) {
    it(`${name}: ${expect}`, async () => {
      const { code, out } = await run(table('nobody', request, expect))
      assert.equal(code, 0, out)
    })
  }

  it('comes with what its provider reads in its claims', async () => {
    assert.equal((await run(table('reader', 'GET /scoped', 'allow'))).code, 0)
  })

  const mistakes: [name: string, text: string, expected: RegExp][] = [
    [
      'an address that is none',
      table('nobody', open('address: ":::..."'), 'allow'),
      / cases\[0\]\.request\.address: is no IP address/,
    ],
    [
      'a method in small letters',
      table('nobody', 'get /open', 'deny'),
      / cases\[0\]\.request: a method is written in capitals: GET/,
    ],
    ...Object.entries({
      'scope: "accounts:read"': 'scope: holds the scopes to provider people: use scopes:',
      'realm: { roles: [admin] }': 'realm.roles: holds the roles to provider people: use roles:',
      'sub: null': 'sub: is the subject to provider people: use subject:',
      'sid: s': 'sid: is the session to provider people',
      'iss: "https://other.example"': 'iss: is the issuer of its provider: leave it out',
      'aud: other': 'aud: is checked before any rule',
      'exp: 1': 'exp: is checked before any rule',
      'nbf: 1': 'nbf: is checked before any rule',
      'iat: 1': 'iat: is checked before any rule',
      'cnf: { jkt: x }': 'cnf: is checked before any rule',
      'act: 5': 'act: is checked before any rule',
      'jti: x': 'jti: is checked before any rule',
      'azp: 5': 'azp: no token with it is believed',
      'team_id: ""': 'team_id: no token with it is believed',
      'tenant: ""': 'tenant: no token with it is believed',
    }).map(([claim, sentence]): [string, string, RegExp] => [
      `the claim ${claim}`,
      table('c', 'GET /accounts/7', 'allow', `, c: { provider: people, claims: { ${claim} } }`),
      new RegExp(`cases\\.yaml:2:\\d+ callers\\.c\\.claims\\.${sentence}`),
    ]),
  ]
  for (const [name, text, expected] of mistakes) {
    it(`is not asked with ${name}`, async () => {
      const { code, out } = await run(text)
      assert.equal(code, 1)
      assert.match(out, expected)
      assert.match(out, /\n1 mistake\n$/)
    })
  }

  it('is named without commands to a terminal', async () => {
    const text = table('nobody', 'GET /open', 'deny').replace('name: it', 'name: "a\\e[31mred\\nnext"')
    const { code, out } = await run(text)
    assert.equal(code, 1)
    assert.match(out, /^cases\.yaml:4 {2}a\\u001b\[31mred\\u000anext: expected deny, got allow/)
    assert.match((await run(text, '--json')).out, /\\u001b\[31mred\\nnext/)
  })
})
