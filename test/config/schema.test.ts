import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GATEWAY, load, loaded, messages, routes } from './written-configuration.ts'

/** Values of single keys that are refused. Each row: where, what is written, what is said. */
describe('values of gateway.yaml', () => {
  const provider = (text: string) => GATEWAY.replace('algorithms: [RS256] }', `algorithms: [RS256], ${text} }`)
  const listener = (text: string) => `${GATEWAY}server: { ${text} }\n`
  const table: [gateway: string, expected: string | RegExp][] = [
    [listener('requestTimeout: 60'), 'server.requestTimeout: must be a duration such as 30s, not a number'],
    [listener('requestTimeout: 60 s'), 'server.requestTimeout: must be a duration such as 30s'],
    [listener('requestTimeout: 0s'), 'server.requestTimeout: must be at least 1ms'],
    [listener('requestTimeout: 25h'), 'server.requestTimeout: must be at most 24h'],
    [listener('maxBodySize: 10MB'), 'server.maxBodySize: must be a size such as 1MiB'],
    [listener('port: 65536'), 'server.port: must be at most 65535'],
    [listener('port: "8080"'), 'server.port: must be a number, not text'],
    [listener('port: 80.5'), /^server\.port: must be a whole number|^server\.port: /],
    [listener('port:'), 'server.port: must be a number, not nothing'],
    [listener('host: "a b"'), 'server.host: must be an address such as 127.0.0.1 or ::1'],
    [listener('trustedProxies: [10.0.0.0/33]'), 'server.trustedProxies[0]: must be an address or a network such as 10.0.0.0/8'],
    [listener('trustedProxies: [10.0.0]'), 'server.trustedProxies[0]: must be an address or a network such as 10.0.0.0/8'],
    [listener('trustedProxies: ["fe80::/129"]'), 'server.trustedProxies[0]: must be an address or a network such as 10.0.0.0/8'],
    [listener('workers: 0'), 'server.workers: must be at least 1'],
    [listener('workers: many'), 'server.workers: must be a number from 1, or auto'],
    [`${GATEWAY}server: 8080\n`, 'server: must be a map of keys, not a number'],
    [`${GATEWAY}admin: { token: 0123456789012345678901234567890123456789 }\n`, /^admin\.token: must be/],
    [
      `${GATEWAY}admin: { token: hunter2hunter2hunter2hunter2hunter2 }\n`,
      'admin.token: a secret is never written inline: write { env: NAME } or { file: PATH }',
    ],
    [
      `${GATEWAY}admin: { token: { enf: NAME } }\n`,
      /^admin\.token.*(did you mean env|must be \{ env: NAME \} or \{ file: PATH \})/,
    ],
    [`${GATEWAY}admin: { token: { env: NAME, file: x } }\n`, 'admin.token: must be { env: NAME } or { file: PATH }'],
    [
      `${GATEWAY}admin: { token: { env: not-a-name } }\n`,
      'admin.token.env: must be the name of an environment variable such as PLANEGATE_ADMIN_TOKEN',
    ],
    [
      GATEWAY.replace('{ file: ./keys/identity.pem }', '"-----BEGIN PRIVATE KEY-----"'),
      'identity.key: a secret is never written inline: write { file: PATH }',
    ],
    [GATEWAY.replace('{ file: ./keys/identity.pem }', '{ file: "" }'), 'identity.key.file: must name a file or folder'],
    [GATEWAY.replace(/identity:.*\n/, ''), 'identity: is required'],
    [GATEWAY.replace('environment: development\n', ''), 'environment: is required: one of development, staging, production'],
    [GATEWAY.replace('key: { file', 'ttl: 5m1s, key: { file'), 'identity.ttl: must be a duration such as 30s'],
    [GATEWAY.replace('key: { file', 'ttl: 301s, key: { file'), 'identity.ttl: must be at most 5m'],
    [GATEWAY.replace('key: { file', 'header: Authorization, key: { file'), /^identity\.header: has a meaning of its own in HTTP/],
    ...['header: Txn-Token', 'header: txn_token', 'binding: request, header: TXN-Token'].map((text): [string, string] => [
      GATEWAY.replace('key: { file', `${text}, key: { file`),
      'identity.header: is what identity.binding: request sends by itself; choose another name such as X-Planegate-Assertion',
    ]),
    [
      GATEWAY.replace('key: { file', 'header: "X Y", key: { file'),
      'identity.header: must be a header name such as X-Planegate-Assertion',
    ],
    [
      GATEWAY.replace('key: { file', 'reserved: [Content-Length], key: { file'),
      'identity.reserved[0]: cannot be reserved: the gateway already rules it',
    ],
    [`${GATEWAY}apiKeys: { header: Cookie }\n`, /^apiKeys\.header: has a meaning of its own/],
    [`${GATEWAY}apiKeys: { header: HOST }\n`, /^apiKeys\.header: has a meaning of its own/],
    [`${GATEWAY}apiKeys: { header: Transfer_Encoding }\n`, /^apiKeys\.header: has a meaning of its own/],
    [GATEWAY.replace('rate: 300/min', 'rate: 300/minute'), 'limits[1].rate: must be a rate such as 600/min'],
    [
      GATEWAY.replace('rate: 300/min', 'rate: 0/min'),
      'limits[1].rate: must admit at least 1; leave the route out to admit nothing',
    ],
    [GATEWAY.replace('burst: 100', 'burst: 0'), 'limits[0].burst: must be at least 1'],
    [GATEWAY.replace('key: subject', 'key: user'), /^limits\[1\]\.key: must be one of ip, subject, ip\+subject/],
    [GATEWAY.replace('[RS256]', '[]'), 'providers[0].algorithms: must not be empty'],
    [GATEWAY.replace('[RS256]', '[RS265]'), /^providers\[0\]\.algorithms\[0\]: must be one of .*; did you mean RS256\?$/],
    [GATEWAY.replace('[RS256]', '[none]'), /^providers\[0\]\.algorithms\[0\]: none is refused/],
    [GATEWAY.replace('[RS256]', '[RS256, HS512]'), /^providers\[0\]\.algorithms\[1\]: HS512 is refused/],
    [GATEWAY.replace('audiences: [api], ', ''), 'providers[0].audiences: is required'],
    [
      GATEWAY.replace('plane: HUMAN', 'plane: HUMANS'),
      'providers[0].plane: must be HUMAN, MACHINE, or { claim: NAME, machine: [VALUES], human: [VALUES] }',
    ],
    [
      GATEWAY.replace('plane: HUMAN', 'plane: { claim: gty, machines: [x] }'),
      'providers[0].plane.machines: there is no such key; did you mean machine?',
    ],
    [
      GATEWAY.replace('https://id.example.com', 'id.example.com'),
      'providers[0].issuer: must be a URL such as https://id.example.com',
    ],
    [
      GATEWAY.replace('https://id.example.com', 'https://u:hunter2@id.example.com'),
      'providers[0].issuer: must not carry credentials',
    ],
    [provider('jwks: { uri: https://a.example }'), /^providers\[0\]\.jwks/],
    [provider('clockSkew: 11m'), 'providers[0].clockSkew: must be at most 10m'],
    [provider('types: []'), 'providers[0].types: must not be empty'],
    [GATEWAY.replace('[/workers/*]', '[workers]'), 'invariants.workerPaths[0]: must start with `/`'],
    [GATEWAY.replace('[/workers/*]', "['/:x/*']"), 'invariants.workerPaths[0]: must be literal, with at most a trailing /*'],
    [GATEWAY.replace('[/workers/*]', '[/a/../b]'), 'invariants.workerPaths[0]: must not hold `.` or `..` segments'],
    [GATEWAY.replace('[http://127.0.0.1:3001]', '[]'), 'upstreams.accounts.targets: must not be empty'],
    [
      GATEWAY.replace('http://127.0.0.1:3001', 'http://127.0.0.1:3001/api'),
      'upstreams.accounts.targets[0]: must not have a path; write http://127.0.0.1:3001',
    ],
    [
      GATEWAY.replace('http://127.0.0.1:3001', 'http://127.0.0.1:3001?a=b'),
      'upstreams.accounts.targets[0]: must be an origin such as http://10.0.0.5:3000',
    ],
    [
      GATEWAY.replace('http://127.0.0.1:3001', 'http://u:hunter2@127.0.0.1'),
      'upstreams.accounts.targets[0]: must not carry credentials; write an origin such as http://10.0.0.5:3000',
    ],
    [
      GATEWAY.replace('http://127.0.0.1:3001', 'ftp://127.0.0.1'),
      'upstreams.accounts.targets[0]: must be an origin such as http://10.0.0.5:3000',
    ],
    [`${GATEWAY.replace('accounts: {', 'accounts: { weight: 1,')}`, /^upstreams\.accounts\.weight: there is no such key/],
    [
      GATEWAY.replace('roles: { admin:', 'roles: { "a b":'),
      'roles.a b: must be a scope without spaces, quotes and backslashes such as accounts:read',
    ],
    [
      `${GATEWAY}stores: { redis: { url: 'redis://:hunter2@127.0.0.1' } }\n`,
      /^stores\.redis\.url: must be a Redis URL without a password/,
    ],
    [
      `${GATEWAY}stores: { database: { url: 'postgres://u:hunter2@db/x' } }\n`,
      /^stores\.database\.url: must be a database URL without a password/,
    ],
    [`${GATEWAY}cors: {}\n`, /^cors: there is no such key/],
  ]
  for (const [gateway, expected] of table) {
    it(String(expected), () => {
      const found = messages(load(gateway))
      const [first = ''] = found
      if (typeof expected === 'string') assert.equal(first, expected)
      else assert.match(first, expected)
      assert.doesNotMatch(found.join(), /hunter2|BEGIN/)
    })
  }
})

describe('values of a route-plane file', () => {
  const table: [entry: string, expected: string | RegExp][] = [
    ['path: a', 'routes[0].path: must start with `/`'],
    ['path: //a', 'routes[0].path: must not hold `//`'],
    ['path: /a/../b', 'routes[0].path: must not hold `.` or `..` segments'],
    ['path: /a/%2e%2e', 'routes[0].path: must not hold `.` or `..` segments'],
    ['path: /a;b', 'routes[0].path: must not hold `;`: path parameters are refused'],
    ['path: /a%2fb', 'routes[0].path: must not hold an encoded slash or backslash'],
    ['path: "/a?b"', /^routes\[0\]\.path: must hold only ASCII/],
    ['path: /ä', /^routes\[0\]\.path: must hold only ASCII/],
    ['path: /%61', 'routes[0].path: must be in canonical percent-encoding: /a'],
    ['path: /caf%c3%a9', 'routes[0].path: must be in canonical percent-encoding: /caf%C3%A9'],
    ['path: /a*', 'routes[0].path: may have one `*` only, as its last segment: /accounts/*'],
    ['path: /*/a', 'routes[0].path: may have one `*` only, as its last segment: /accounts/*'],
    ["path: '/:'", 'routes[0].path: a parameter is a whole segment, written :name'],
    ["path: '/a:b'", 'routes[0].path: a parameter is a whole segment, written :name'],
    ["path: '/:a-:b'", 'routes[0].path: a parameter is a whole segment, written :name'],
    ["path: '/:id(^[0-9]+$)'", 'routes[0].path: a parameter is a whole segment, written :name'],
    ["path: '/:id?'", /^routes\[0\]\.path: /],
    ["path: '/:x/:x'", 'routes[0].path: has two parameters of the name :x'],
    ['methods: [get], path: /a', /^routes\[0\]\.methods\[0\]: must be one of .*; did you mean GET\?$/],
    ['methods: [TRACE], path: /a', /^routes\[0\]\.methods\[0\]: must be one of GET, HEAD/],
    ['methods: [CONNECT], path: /a', /^routes\[0\]\.methods\[0\]: must be one of GET, HEAD/],
    ['methods: [], path: /a', 'routes[0].methods: must not be empty'],
    ['hosts: [A.example], path: /a', 'routes[0].hosts[0]: must be in lower case: a.example'],
    ['hosts: ["a.example:80"], path: /a', /^routes\[0\]\.hosts\[0\]: must not name a port/],
    ['hosts: ["a.*.example"], path: /a', 'routes[0].hosts[0]: must be a host name such as api.example.com or *.example.com'],
    ['hosts: ["*"], path: /a', 'routes[0].hosts[0]: must be a host name such as api.example.com or *.example.com'],
    ['stripPrefix: /api/, path: /api/a', 'routes[0].stripPrefix: must not end with `/`; write /api'],
    ["stripPrefix: '/:v', path: '/:v/a'", 'routes[0].stripPrefix: must be literal: no parameters, no `*`'],
    ['cookies: ["a b"], path: /a', 'routes[0].cookies[0]: must be a cookie name such as locale'],
    ['expires: 2027-02-30, path: /a', 'routes[0].expires: is not a day of the calendar'],
    ['expires: 2027-99-99, path: /a', 'routes[0].expires: is not a day of the calendar'],
    ['expires: tomorrow, path: /a', 'routes[0].expires: must be a date such as 2027-06-30'],
    ['plane: HUMAN, path: /a', /^routes\[0\]\.plane: must be one of HUMAN_ONLY, MACHINE_ONLY, BOTH, PUBLIC/],
    ['kind: worcer, path: /a', 'routes[0].kind: must be one of user, worker, admin; did you mean worker?'],
    ['path: /a, require: all', 'routes[0].require: must be `any` or a list of requirements such as { scopes: [accounts:read] }'],
    ['path: /a, require: { scope: [a] }', 'routes[0].require.scope: there is no such key; did you mean scopes?'],
    [
      'path: /a, require: { scopes: [a b] }',
      'routes[0].require.scopes[0]: must be a scope without spaces, quotes and backslashes such as accounts:read',
    ],
    ['path: /a, require: { scopes: [] }', 'routes[0].require.scopes: must not be empty'],
    ['path: /a, require: { anyScope: [] }', 'routes[0].require.anyScope: must not be empty'],
    [
      'path: /a, require: { actors: [system] }',
      'routes[0].require.actors[0]: system never comes from the network; use human, service or agent',
    ],
    ['path: /a, onStale: x', /^routes\[0\]\.onStale: there is no such key/],
  ]
  for (const [entry, expected] of table) {
    it(`${entry} → ${String(expected)}`, () => {
      const [first = ''] = messages(load(GATEWAY, routes(`{ id: r, ${entry} }`)))
      if (typeof expected === 'string') assert.equal(first, expected)
      else assert.match(first, expected)
    })
  }

  it('an empty requirement is not a requirement', () => {
    for (const empty of ['{}', '{ claims: {} }']) {
      const found = messages(load(GATEWAY, routes(`{ id: r, path: /a, require: ${empty} }`)))
      assert.deepEqual(found, ['routes[0].require: asks nothing; write require: any if that is meant'])
    }
  })

  it('a file without routes is a mistake', () => {
    assert.deepEqual(messages(load(GATEWAY, 'plane: BOTH\nroutes: []\n')), ['routes: must not be empty'])
    assert.deepEqual(messages(load(GATEWAY, 'plane: BOTH\n')), ['routes: is required'])
  })

  it('takes paths, hosts and claims that are in order', () => {
    const entries = [
      'path: /, require: any',
      "path: '/a/:id/b', require: { claims: { tenant: [1, { a: null }] } }",
      'path: /caf%C3%A9/*, require: any',
      'hosts: ["*.example.com", a-b.example], path: /x_y~z, methods: [OPTIONS, PATCH], require: any, cookies: [__Host-a]',
    ]
    const result = loaded(load(GATEWAY, routes(...entries.map((entry, index) => `{ id: r${index}, ${entry} }`))))
    assert.deepEqual(result.gateway.routes[1]?.require?.claims, { tenant: [1, { a: null }] })
    assert.deepEqual(result.gateway.routes[3]?.methods, ['OPTIONS', 'PATCH'])
  })
})
