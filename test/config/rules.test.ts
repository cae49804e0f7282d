import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { routeTable } from '../../src/stores/memory/route-table.ts'
import { developmentIssuerOptions } from '../../src/tokens/development-issuer.ts'
import { GATEWAY, load, loaded, messages, ROUTES, routes, warnings } from './written-configuration.ts'

describe('mistakes in gateway.yaml across its keys', () => {
  const swap = (from: string, to: string) => {
    assert.ok(GATEWAY.includes(from), from)
    return GATEWAY.replace(from, to)
  }
  const provider = (text: string) => swap('upstreams:\n', `${text}upstreams:\n`)
  const production = (text = '') =>
    swap('environment: development', `environment: production${text}`).replace('http://127.0.0.1:8080', 'https://a.example')
  const table: [name: string, gateway: string, expected: string[]][] = [
    [
      'public origin absent in production',
      production().replace(/publicOrigin.*\n/, ''),
      ['publicOrigin: is required in production: an origin such as https://api.example.com'],
    ],
    [
      'public origin over http in production',
      production().replace('https://a.example', 'http://127.0.0.1:8080'),
      ['publicOrigin: plain http: is refused in production; write https:'],
    ],
    [
      'public origin over http beyond loopback',
      swap('http://127.0.0.1:8080', 'http://api.example.com'),
      ['publicOrigin: plain http: is accepted on loopback only; write https:'],
    ],
    [
      'issuer over http beyond loopback',
      swap('https://id.example.com', 'http://id.example.com'),
      ['providers[0].issuer: plain http: is accepted on loopback only; write https:'],
    ],
    [
      'issuer on loopback in production',
      production().replace('https://id.example.com', 'http://127.0.0.1'),
      ['providers[0].issuer: plain http: is refused in production; write https:'],
    ],
    [
      'a host that only starts like loopback',
      swap('https://id.example.com', 'http://127.0.0.1.example.com'),
      ['providers[0].issuer: plain http: is accepted on loopback only; write https:'],
    ],
    [
      'key set over http',
      swap('[RS256] }', '[RS256], jwks: { url: http://id.example.com/jwks } }'),
      ['providers[0].jwks.url: plain http: is accepted on loopback only; write https:'],
    ],
    [
      'assertion issuer over http',
      swap('identity: { ', 'identity: { issuer: http://api.example.com, '),
      ['identity.issuer: plain http: is accepted on loopback only; write https:'],
    ],
    [
      'development issuer in production',
      `${production()}development: { issuer: true }\n`,
      ['development.issuer: the development issuer exists only where environment is development; write false'],
    ],
    [
      'development issuer in staging',
      `${swap('environment: development', 'environment: staging')}development: { issuer: true }\n`,
      ['development.issuer: the development issuer exists only where environment is development; write false'],
    ],
    [
      'two providers of one issuer',
      provider('  - { name: others, plane: MACHINE, issuer: https://id.example.com, audiences: [api], algorithms: [ES256] }\n'),
      ['providers[1].issuer: is already the issuer of provider people; two providers cannot share one'],
    ],
    [
      'two providers of one name',
      provider('  - { name: people, plane: MACHINE, issuer: https://b.example, audiences: [api], algorithms: [ES256] }\n'),
      ['providers[1].name: is already the name of another provider'],
    ],
    [
      'a provider with the name of the development issuer',
      `${swap('name: people', 'name: development')}development: { issuer: true }\n`,
      ['providers[0].name: is the name of the development issuer; choose another name'],
    ],
    [
      'a provider with the issuer of development tokens',
      `${swap('https://id.example.com', 'http://127.0.0.1:8080/development')}development: { issuer: true }\n`,
      ['providers[0].issuer: is the issuer of development tokens; remove the provider, or development.issuer'],
    ],
    [
      'the same where nobody says how clients reach the gateway',
      `${swap('https://id.example.com', 'http://127.0.0.1:8081/development').replace(/publicOrigin.*\n/, '')}server: { host: 0.0.0.0, port: 8081 }\ndevelopment: { issuer: true }\n`,
      ['providers[0].issuer: is the issuer of development tokens; remove the provider, or development.issuer'],
    ],
    ...[
      '{ host: 127.0.0.1, port: 9090 }',
      '{ host: localhost, port: 9090 }',
      '{ host: 0.0.0.0, port: 9090 }',
      '{ host: "::", port: 9090 }',
    ].map((server): [string, string, string[]] => [
      `public and admin listener in one place: ${server}`,
      `${GATEWAY}server: ${server}\n`,
      ['admin.port: is the port of the public listener on the same address; choose another'],
    ]),
    [
      'an admin listener on every address',
      `${GATEWAY}admin: { host: 0.0.0.0, port: 8080 }\n`,
      ['admin.port: is the port of the public listener on the same address; choose another'],
    ],
    [
      'two limits of one name',
      swap('providers:', '  - { name: per-subject, key: ip, rate: 1/s }\nproviders:'),
      ['limits[2].name: is already the name of another limit'],
    ],
    [
      'one header for two things',
      swap('identity: { ', 'apiKeys: { header: x_api.key }\nidentity: { header: X-Api-Key, '),
      ['identity.header: is the same header as apiKeys.header to some servers; choose another name'],
    ],
    [
      'several workers without shared state',
      `${GATEWAY}server: { workers: 2 }\n`,
      [
        'server.workers: more than one process needs stores.redis: each would count limits by itself and admit as many times too many; write 1',
      ],
    ],
    [
      'workers by the machine',
      `${GATEWAY}server: { workers: auto }\n`,
      [
        'server.workers: more than one process needs stores.redis: each would count limits by itself and admit as many times too many; write 1',
      ],
    ],
    [
      'several workers with Redis that is not used',
      `${GATEWAY}server: { workers: 2 }\nstores: { redis: { url: redis://127.0.0.1 } }\n`,
      [
        'server.workers: this version keeps limits and caches in the process even with stores.redis: every limit would be multiplied; write 1',
      ],
    ],
    [
      'revocation loosened without a reason',
      `${GATEWAY}revocation: { onUnavailable: allow }\n`,
      ['revocation.onUnavailable: allow lets withdrawn credentials in during an outage: add reason: beside it, or write deny'],
    ],
    [
      'audit loosened without a reason',
      `${GATEWAY}audit: { onUnavailable: shed }\n`,
      ['audit.onUnavailable: shed serves requests that are not recorded: add reason: beside it, or write deny'],
    ],
    [
      'a claim value on both sides',
      swap('plane: HUMAN,', 'plane: { claim: gty, human: [a, b], machine: [b] },'),
      ['providers[0].plane.human: b also stands under machine; a value decides for one side'],
    ],
    [
      'a claim without values',
      swap('plane: HUMAN,', 'plane: { claim: gty },'),
      ['providers[0].plane: names no value, so every token would be refused: fill human or machine'],
    ],
    [
      'PostgreSQL',
      `${GATEWAY}stores: { database: { url: postgres://db/planegate } }\n`,
      ['stores.database.url: names PostgreSQL, which this version cannot serve; use sqlite:./data/planegate.db'],
    ],
    [
      'another database',
      `${GATEWAY}stores: { database: { url: mysql://db/planegate } }\n`,
      ['stores.database.url: must be sqlite: and a path, such as sqlite:./data/planegate.db'],
    ],
    [
      'a database in memory',
      `${GATEWAY}stores: { database: { url: 'sqlite::memory:' } }\n`,
      ['stores.database.url: must name a file: a database in memory forgets every API key'],
    ],
    [
      'a database variable that is not set',
      `${GATEWAY}stores: { database: { url: { env: NOWHERE } } }\n`,
      ['stores.database.url: environment variable NOWHERE is not set'],
    ],
    [
      'worker and admin paths overlap',
      swap('adminPaths: [/admin/*]', 'adminPaths: [/Workers/admin/*]'),
      ['invariants.adminPaths[0]: overlaps the worker path /workers/*: nobody could pass where both hold'],
    ],
    [
      'an admin path around a worker path',
      swap('adminPaths: [/admin/*]', 'adminPaths: [/*]'),
      ['invariants.adminPaths[0]: overlaps the worker path /workers/*: nobody could pass where both hold'],
    ],
  ]
  for (const [name, gateway, expected] of table) {
    it(name, () => {
      assert.deepEqual(messages(load(gateway)), expected)
    })
  }

  it('knows the issuer of development tokens as it calls itself', () => {
    const { issuer } = developmentIssuerOptions({ file: '/x/gateway.yaml', publicOrigin: 'http://127.0.0.1:8080' })
    const gateway = swap('https://id.example.com', issuer)
    assert.equal(messages(load(`${gateway}development: { issuer: true }\n`)).length, 1)
    assert.deepEqual(messages(load(gateway.replace('name: people', 'name: development'))), [])
  })

  it('two listeners may share a port on two addresses, and port 0', () => {
    for (const listeners of [
      'server: { port: 0 }\nadmin: { port: 0 }',
      'server: { host: 127.0.0.2, port: 9090 }',
      'server: { host: 0.0.0.0, port: 9090 }\nadmin: { host: "::1" }',
    ])
      assert.deepEqual(messages(load(`${GATEWAY}${listeners}\n`)), [], listeners)
  })

  it('accepts what stands next to each of them', () => {
    const gateway = `${swap('https://id.example.com', 'http://127.0.0.1:4000').replace('[RS256] }', '[RS256], jwks: { url: "http://[::1]/jwks" } }')}
server: { workers: 1 }
development: { issuer: true }
revocation: { onUnavailable: allow, reason: the store is far away }
audit: { onUnavailable: shed, reason: measured elsewhere }
`
    const { loosened } = loaded(load(gateway))
    assert.deepEqual(
      loosened.map(({ path, value, reason }) => [path, value, reason]),
      [
        ['revocation.onUnavailable', 'allow', 'the store is far away'],
        ['audit.onUnavailable', 'shed', 'measured elsewhere'],
      ],
    )
  })

  it('lists what a provider is let off', () => {
    const lenient = (text: string) => loaded(load(swap('[RS256] }', `[RS256], ${text} }`))).loosened
    assert.deepEqual(lenient('clockSkew: 60s, requiredClaims: [sid]'), [])
    assert.deepEqual(
      lenient('clockSkew: 61s, requiredClaims: []').map(({ path, value, reason }) => [path, value, reason]),
      [
        ['providers[0].clockSkew', '61s', null],
        ['providers[0].requiredClaims', 'none', null],
      ],
    )
  })

  it('never shows an admin token, but refuses a short one', () => {
    const gateway = `${GATEWAY}admin: { token: { env: TOKEN } }\n`
    assert.deepEqual(messages(load(gateway, ROUTES, { TOKEN: 'hunter2' })), [
      'admin.token: environment variable TOKEN is too short: at least 32 characters are needed',
    ])
    assert.deepEqual(loaded(load(gateway, ROUTES, { TOKEN: 'x'.repeat(32) })).gateway.admin.token, { env: 'TOKEN' })
  })
})

describe('mistakes in routes', () => {
  const require = 'require: any'
  const guarded = (guard: string, path: string, plane: string) => `${path} lies in ${guard}, not ${plane}`
  const worker = 'a worker path, which takes API keys only: its plane must be MACHINE_ONLY or BOTH'
  const admin = 'an admin path'
  const table: [name: string, routes: string[], expected: (string | RegExp)[]][] = [
    [
      'an upstream that is not there',
      [`{ id: a, path: /a, upstream: acounts, ${require} }`],
      ['routes[0].upstream: there is no upstream acounts; did you mean accounts?'],
    ],
    [
      'a limit that is not there',
      [`{ id: a, path: /a, limits: [per-subjekt], ${require} }`],
      ['routes[0].limits[0]: there is no limit per-subjekt; did you mean per-subject?'],
    ],
    [
      'a role that is not there',
      ['{ id: a, path: /a, require: { roles: [root] } }'],
      ['routes[0].require.roles[0]: there is no role root; declared are admin'],
    ],
    [
      'a limit by address',
      [`{ id: a, path: /a, limits: [per-address], ${require} }`],
      ['routes[0].limits[0]: per-address counts by address and applies to every request already; remove it here'],
    ],
    [
      'one id twice',
      [`{ id: a, path: /a, ${require} }`, `{ id: a, path: /b, ${require} }`],
      [/^routes\[1\]\.id: is already the id of a \(.*main\.yaml:4\)$/],
    ],
    [
      'one shape twice',
      [`{ id: a, path: '/a/:x', ${require} }`, `{ id: b, path: '/a/:y', ${require} }`],
      [/^routes\[1\]\.path: answers GET on the same path as a \(.*main\.yaml:4\)$/],
    ],
    [
      'GET beside the HEAD it brings',
      [`{ id: a, path: /a, ${require} }`, `{ id: b, path: /a, methods: [HEAD], ${require} }`],
      [/^routes\[1\]\.path: answers HEAD on the same path as a /],
    ],
    [
      'one host of several',
      [`{ id: a, path: /a, hosts: [x.example, y.example], ${require} }`, `{ id: b, path: /a, hosts: [y.example], ${require} }`],
      [/^routes\[1\]\.path: answers GET on the same path of y\.example as a /],
    ],
    [
      'the id that metrics give to no route',
      [`{ id: none, path: /a, ${require} }`],
      ['routes[0].id: is what metrics call a request without a route; choose another id'],
    ],
    [
      'a number of 17 digits for a claim',
      ['{ id: a, path: /a, require: { claims: { tenant: 90071992547409931 } } }'],
      [
        'routes[0].require.claims.tenant: cannot be compared exactly: whole numbers go up to 9007199254740991; compare text instead',
      ],
    ],
    [
      'the first number that has a double, within a list',
      ['{ id: a, path: /a, require: { claims: { t: [1, { n: -9007199254740992 }] } } }'],
      [/^routes\[0\]\.require\.claims\.t\[1\]\.n: cannot be compared exactly/],
    ],
    [
      'numbers that are none',
      ['{ id: a, path: /a, require: { claims: { a: .nan, b: .inf, c: 1e400 } } }'],
      [/claims\.a: cannot/, /claims\.b: cannot/, /claims\.c: cannot/],
    ],
    ['a method twice', [`{ id: a, path: /a, methods: [POST, POST], ${require} }`], ['routes[0].methods[1]: POST is named twice']],
    [
      'the published keys',
      [`{ id: a, path: /.well-known/jwks.json, ${require} }`],
      ['routes[0].path: is answered by the gateway itself; choose another path'],
    ],
    [
      'worker for humans',
      [`{ id: a, path: /a, kind: worker, ${require} }`],
      ['routes[0].kind: a worker route takes API keys only, so its plane must be MACHINE_ONLY or BOTH, not HUMAN_ONLY'],
    ],
    [
      'admin for machines',
      [`{ id: a, path: /a, kind: admin, plane: MACHINE_ONLY, ${require} }`],
      ['routes[0].kind: an admin route takes no API key, so its plane must be HUMAN_ONLY or BOTH, not MACHINE_ONLY'],
    ],
    [
      'admin for everybody',
      ['{ id: a, path: /a, kind: admin, plane: PUBLIC, reason: x }'],
      ['routes[0].kind: an admin route takes no API key, so its plane must be HUMAN_ONLY or BOTH, not PUBLIC'],
    ],
    [
      'humans in a worker path',
      [`{ id: a, path: /workers/a, ${require} }`],
      [`routes[0].path: ${guarded(worker, '/workers/a', 'HUMAN_ONLY')}`],
    ],
    [
      'humans in a worker path, other case',
      [`{ id: a, path: /WORKERS, ${require} }`],
      [`routes[0].path: ${guarded(worker, '/WORKERS', 'HUMAN_ONLY')}`],
    ],
    [
      'humans in a worker path of the upstream',
      [`{ id: a, path: /api/workers/*, stripPrefix: /api, ${require} }`],
      [`routes[0].path: ${guarded(worker, '/workers/*', 'HUMAN_ONLY')}`],
    ],
    [
      'everybody in an admin path',
      ['{ id: a, path: /admin/x, plane: PUBLIC, reason: x }'],
      [
        `routes[0].path: ${guarded(`${admin}, which takes no API key: its plane must be HUMAN_ONLY or BOTH`, '/admin/x', 'PUBLIC')}`,
      ],
    ],
    [
      'machines in an admin path',
      [`{ id: a, path: /admin/x, plane: MACHINE_ONLY, ${require} }`],
      [
        `routes[0].path: ${guarded(`${admin}, which takes no API key: its plane must be HUMAN_ONLY or BOTH`, '/admin/x', 'MACHINE_ONLY')}`,
      ],
    ],
    [
      'a worker in an admin path',
      [`{ id: a, path: /admin/x, plane: BOTH, kind: worker, ${require} }`],
      [`routes[0].kind: /admin/x lies in ${admin} and the route is of kind worker: nobody could pass`],
    ],
    [
      'an admin path that becomes a worker path',
      [`{ id: a, path: /admin/workers/x, stripPrefix: /admin, plane: BOTH, ${require} }`],
      ['routes[0].path: lies in a worker path and in an admin path: nobody could pass; move one of them'],
    ],
    [
      'PUBLIC without a reason',
      ['{ id: a, path: /a, plane: PUBLIC }'],
      ['routes[0]: is PUBLIC without a reason: add reason: with the words why nobody has to prove who they are'],
    ],
    [
      'PUBLIC with a blank reason',
      ['{ id: a, path: /a, plane: PUBLIC, reason: " " }'],
      ['routes[0].reason: must be a sentence such as uptime probe, carries no data'],
    ],
    [
      'PUBLIC with a requirement',
      ['{ id: a, path: /a, plane: PUBLIC, reason: x, require: { scopes: [s] } }'],
      ['routes[0].require: a PUBLIC route verifies nobody, so nothing can be required; remove it or choose another plane'],
    ],
    [
      'PUBLIC with a limit by subject',
      ['{ id: a, path: /a, plane: PUBLIC, reason: x, limits: [per-subject] }'],
      [
        'routes[0].limits: a PUBLIC route knows no subject to count by; use a limit with `key: ip`, which applies to every request',
      ],
    ],
    [
      'a rule past its date',
      [`{ id: a, path: /a, expires: 2026-01-14, ${require} }`],
      ['routes[0].expires: the rule has expired and is refused; remove it or write a later date'],
    ],
    [
      'a prefix that is none',
      [`{ id: a, path: /api/a, stripPrefix: /v1, ${require} }`],
      ['routes[0].stripPrefix: is not the start of /api/a in whole segments, so nothing would be stripped'],
    ],
    [
      'a prefix within a segment',
      [`{ id: a, path: /api/a, stripPrefix: /ap, ${require} }`],
      ['routes[0].stripPrefix: is not the start of /api/a in whole segments, so nothing would be stripped'],
    ],
  ]
  for (const [name, entries, expected] of table) {
    it(name, () => {
      const found = messages(load(GATEWAY, routes(...entries)))
      assert.equal(found.length, expected.length, found.join('\n'))
      for (const [index, message] of expected.entries()) {
        if (typeof message === 'string') assert.equal(found[index], message)
        else assert.match(found[index] ?? '', message)
      }
    })
  }

  it('takes as many hosts on one path and method as the router can tell apart', () => {
    const named = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `h${index + from}.example`)
    const route = (id: string, path: string, hosts: readonly string[], methods = 'GET') =>
      `{ id: ${id}, path: '${path}', hosts: [${hosts.join()}], methods: [${methods}], require: any }`
    const table: [entries: string[], count: number][] = [
      [[route('a', '/a', named(31))], 0],
      [[route('a', '/a', named(32))], 1],
      [[route('a', '/a/:x', named(31)), route('b', '/a/:y', [])], 1],
      [[route('a', '/a', named(20)), route('b', '/A', named(20, 20))], 1],
      [[route('a', '/a', named(31)), route('b', '/a', named(31), 'POST'), route('c', '/b', named(31))], 0],
    ]
    for (const [entries, count] of table) {
      const result = load(GATEWAY, routes(...entries))
      const found = messages(result)
      assert.equal(found.length, count, found.join('\n'))
      for (const message of found)
        assert.match(message, /^routes\[[01]\]\.hosts: more than 31 hosts answer GET on this path; write one wildcard/)
      if (result.ok) assert.doesNotThrow(() => routeTable(result.gateway.routes))
    }
  })

  it('routes need a plane and an upstream from somewhere', () => {
    assert.deepEqual(messages(load(GATEWAY, 'routes:\n  - { id: a, path: /a, require: any }\n')), [
      'routes[0]: names no upstream, and neither does its file',
      'routes[0]: names no plane, and neither does its file: HUMAN_ONLY, MACHINE_ONLY, BOTH or PUBLIC',
    ])
  })

  it('takes the paths that the configuration switches on', () => {
    const gateway = `${GATEWAY}providerStatus: { exposure: public }\ndevelopment: { issuer: true }\n`
    const taken = routes(
      '{ id: a, path: /auth/provider/status, require: any }',
      '{ id: b, path: /.well-known/development-jwks.json, require: any }',
    )
    assert.equal(messages(load(gateway, taken)).length, 2)
    assert.deepEqual(messages(load(GATEWAY, taken)), [])
  })

  it('accepts what stands next to each of them', () => {
    const entries = [
      "{ id: a, path: '/a/:x', require: any }",
      "{ id: b, path: '/a/:x', methods: [POST], require: any }",
      "{ id: c, path: '/a/:x', hosts: [x.example], require: any }",
      '{ id: d, path: /a/*, require: { roles: [admin] } }',
      '{ id: e, path: /.well-known/*, limits: [per-subject], require: any }',
      '{ id: f, path: /workersx, require: any }',
      '{ id: g, path: /workers/g, plane: BOTH, require: any }',
      '{ id: h, path: /admin/h, kind: admin, require: any }',
      '{ id: i, path: /api/i, stripPrefix: /api, expires: 2026-01-15, require: any }',
      '{ id: j, path: /j, plane: PUBLIC, reason: open data }',
      '{ id: None, path: /k, require: { claims: { a: 9007199254740991, b: -0.5, c: [true, null, "9007199254740993"] } } }',
    ]
    const result = loaded(load(GATEWAY, routes(...entries)))
    assert.deepEqual(result.warnings, [])
    assert.equal(result.gateway.routes.length, entries.length)
  })
})

describe('warnings', () => {
  const table: [name: string, gateway: string, entries: string[], expected: RegExp[]][] = [
    ['no require', GATEWAY, ['{ id: a, path: /a }'], [/^routes\[0\]: has no require: any verified actor/]],
    [
      'Redis',
      `${GATEWAY}stores: { redis: { url: redis://127.0.0.1 } }\n`,
      ['{ id: a, path: /a, require: any }'],
      [/^stores\.redis: is not used by this version/],
    ],
    [
      'everyone is a proxy',
      `${GATEWAY}server: { trustedProxies: [0.0.0.0/0] }\n`,
      ['{ id: a, path: /a, require: any }'],
      [/^server\.trustedProxies\[0\]: trusts every sender/],
    ],
    [
      'nearly everyone is a proxy',
      `${GATEWAY}server: { trustedProxies: [0.0.0.0/1, 10.0.0.0/7, "2000::/3", "fe00::/15", "::ffff:0:0/96", "::ffff:8.0.0.0/103"] }\n`,
      ['{ id: a, path: /a, require: any }'],
      Array.from({ length: 6 }, (_, index) => new RegExp(`^server\\.trustedProxies\\[${index}\\]: is wider than any network`)),
    ],
    [
      'the widest networks that somebody owns are proxies',
      `${GATEWAY}server: { trustedProxies: [10.0.0.0/8, "2001::/16", "::ffff:10.0.0.0/104", 10.0.0.1, "::1"] }\n`,
      ['{ id: a, path: /a, require: any }'],
      [],
    ],
    [
      'a log that nothing signs, where that matters',
      GATEWAY.replace('environment: development', 'environment: staging').replace('development: { issuer: true }', ''),
      ['{ id: a, path: /a, require: any }'],
      [/^audit\.key: is missing, so nothing shows when the end of the log is cut off: write key: /],
    ],
    [
      'a permission of no role',
      GATEWAY,
      ['{ id: a, path: /a, require: { permissions: [nothing] } }'],
      [/^routes\[0\]\.require\.permissions\[0\]: no role grants nothing/],
    ],
    [
      'cookies on PUBLIC',
      GATEWAY,
      ['{ id: a, path: /a, plane: PUBLIC, reason: x, cookies: [sid] }'],
      [/^routes\[0\]\.cookies: these cookies reach the upstream/],
    ],
    [
      'a PUBLIC wildcard over guarded paths',
      GATEWAY,
      ['{ id: a, path: /*, plane: PUBLIC, reason: x }'],
      [/^routes\[0\]\.path: is PUBLIC and can match requests in \/workers/],
    ],
    [
      'a PUBLIC parameter over a guarded path',
      GATEWAY,
      ["{ id: a, path: '/:x', plane: PUBLIC, reason: x }"],
      [/^routes\[0\]\.path: is PUBLIC and can match/],
    ],
    [
      'a PUBLIC wildcard that is stripped into guarded paths',
      GATEWAY,
      ['{ id: a, path: /p/*, stripPrefix: /p, plane: PUBLIC, reason: x }'],
      [/^routes\[0\]\.path: is PUBLIC and can match/],
    ],
    ['a PUBLIC wildcard elsewhere', GATEWAY, ['{ id: a, path: /p/*, plane: PUBLIC, reason: x }'], []],
  ]
  for (const [name, gateway, entries, expected] of table) {
    it(name, () => {
      const found = warnings(load(gateway, routes(...entries)))
      assert.equal(found.length, expected.length, found.join('\n'))
      for (const [index, message] of expected.entries()) assert.match(found[index] ?? '', message)
    })
  }
})
