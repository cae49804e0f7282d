import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Finding, formatFinding } from '../../src/config/finding.ts'
import { loadGateway } from '../../src/config/load.ts'
import { folderOf, GATEWAY, load, loaded, messages, NOW, ROUTES, routes } from './written-configuration.ts'

const EXAMPLE_GATEWAY = `environment: production              # required: development | staging | production
publicOrigin: https://api.example.com
server:  { host: 0.0.0.0, port: 8080, trustedProxies: [10.0.0.0/8], requestTimeout: 60s, maxBodySize: 10MiB }
admin:   { host: 127.0.0.1, port: 9090, token: { env: PLANEGATE_ADMIN_TOKEN } }   # at least 32 characters
routes:  ./routes                    # every *.yaml in it is a route-plane file
startup: { strict: false }           # production is always strict
providers:
  - name: clerk
    plane: HUMAN                     # HUMAN | MACHINE | { claim: gty, machine: [client-credentials], human: [password, authorization_code] }
    issuer: https://clerk.example.com
    audiences: [https://api.example.com]
    algorithms: [RS256]              # never empty, never \`none\`, never HS* with a JWKS
    jwks: { url: https://clerk.example.com/.well-known/jwks.json }   # or { file: PATH }; absent: OIDC discovery
    types: [at+jwt, JWT]             # accepted \`typ\` values
    clockSkew: 30s
    requiredClaims: [sub, sid]
    claims: { subject: sub, session: sid, scopes: scope, roles: roles, account: account_id, team: team_id }   # this mapping is the default
apiKeys: { header: X-API-Key }
invariants: { workerPaths: [/workers/*], adminPaths: [/admin/*] }
identity:
  header: X-Planegate-Assertion
  issuer: https://api.example.com
  ttl: 60s
  key: { file: ./keys/identity.pem } # Ed25519 (default), ES256 or RS256; PKCS#8 or PKCS#1
  previousKeys: []                   # still published, no longer signing
  binding: session                   # session: cached per credential and upstream | request: one Txn-Token per request
  forwardClaims: []                  # further claims, under \`ext\`
limits:                              # \`key: ip\` applies to every request; the others where a route names them
  - { name: per-address, key: ip, rate: 600/min, burst: 100 }
  - { name: per-subject, key: subject, rate: 300/min, burst: 50 }
  - { name: login, key: ip+subject, rate: 10/min, burst: 5 }
revocation: { onUnavailable: deny, maxStaleness: 5s }
stores:
  redis:    { url: redis://127.0.0.1:6379 }                        # optional; needed when server.workers > 1
  database: { url: sqlite:./data/planegate.db, migrate: auto }     # or { env: DATABASE_URL } with postgres://…; migrate: auto | manual
audit: { directory: ./data/audit, success: true, limits: true, key: { file: ./keys/audit.pem }, onUnavailable: deny }   # denials are always recorded
upstreams:
  accounts:
    targets: [http://10.0.0.5:3000, http://10.0.0.6:3000]
    audience: accounts               # \`aud\` of the assertion
    timeouts: { connect: 2s, headers: 30s, idle: 60s }
roles: { admin: [accounts:read, accounts:write], viewer: [accounts:read] }
providerStatus: { exposure: admin }  # public | admin | off
`

const EXAMPLE_ROUTES = `# routes/accounts.yaml: a route-plane file
plane: HUMAN_ONLY                    # default for the file; each route may say its own
upstream: accounts
routes:
  - id: accounts-read
    hosts: []                        # any host when empty or absent
    methods: [GET]                   # absent: GET; GET brings HEAD
    path: /api/v1/accounts/*         # find-my-way syntax: /a/:id, trailing /*; static beats parameter beats wildcard
    stripPrefix: /api                # optional
    limits: [per-subject]
    require: { scopes: [accounts:read] }
  - id: jobs
    plane: MACHINE_ONLY
    kind: worker                     # user (default) | worker (MACHINE_ONLY or BOTH) | admin (HUMAN_ONLY or BOTH)
    methods: [POST]
    path: /workers/jobs
    require: { scopes: [jobs:run], actors: [service] }
  - id: status-page
    plane: PUBLIC
    reason: uptime probe, carries no data
    expires: 2027-06-30              # optional on any route: a temporary rule
    path: /status
`

describe('a whole configuration', () => {
  it('loads and compiles the example', () => {
    const folder = folderOf({ 'gateway.yaml': EXAMPLE_GATEWAY, 'routes/accounts.yaml': EXAMPLE_ROUTES })
    const { gateway, warnings, loosened } = loaded(loadGateway(join(folder, 'gateway.yaml'), { now: NOW, env: {} }))
    assert.deepEqual(
      warnings.map((warning) => warning.path),
      ['stores.redis'],
    )
    assert.deepEqual(loosened, [])
    assert.equal(gateway.strictStartup, true)
    assert.deepEqual(gateway.identity.keyFile, join(folder, 'keys/identity.pem'))
    assert.equal(gateway.audit.directory, join(folder, 'data/audit'))
    assert.equal(gateway.audit.keyFile, join(folder, 'keys/audit.pem'))
    assert.deepEqual(gateway.stores.database, { url: `sqlite:${join(folder, 'data/planegate.db')}`, migrate: 'auto' })
    assert.deepEqual(gateway.admin.token, { env: 'PLANEGATE_ADMIN_TOKEN' })
    assert.deepEqual(gateway.limits[2], {
      name: 'login',
      key: 'ip+subject',
      on: 'requests',
      count: 10,
      periodMs: 60_000,
      burst: 5,
      source: `${join(folder, 'gateway.yaml')}:31`,
    })
    assert.deepEqual(gateway.roles.get('viewer'), new Set(['accounts:read']))
    assert.deepEqual(gateway.providers[0], {
      name: 'clerk',
      issuer: 'https://clerk.example.com',
      plane: { fixed: 'HUMAN' },
      audiences: ['https://api.example.com'],
      algorithms: ['RS256'],
      keys: { from: 'url', url: 'https://clerk.example.com/.well-known/jwks.json' },
      source: `${join(folder, 'gateway.yaml')}:8`,
      types: ['at+jwt', 'JWT'],
      clockSkew: 30_000,
      requiredClaims: ['sub', 'sid'],
      claims: { subject: 'sub', session: 'sid', scopes: 'scope', roles: 'roles', account: 'account_id', team: 'team_id' },
    })
    assert.deepEqual(gateway.upstreams, [
      {
        name: 'accounts',
        targets: ['http://10.0.0.5:3000', 'http://10.0.0.6:3000'],
        audience: 'accounts',
        timeouts: { connect: 2_000, headers: 30_000, idle: 60_000 },
        connections: 1024,
      },
    ])
    const file = join(folder, 'routes/accounts.yaml')
    assert.deepEqual(gateway.routes[0], {
      id: 'accounts-read',
      plane: 'HUMAN_ONLY',
      kind: 'user',
      hosts: [],
      methods: ['GET', 'HEAD'],
      path: '/api/v1/accounts/*',
      stripPrefix: '/api',
      upstream: 'accounts',
      limits: ['per-subject'],
      require: { scopes: ['accounts:read'], anyScope: [], roles: [], permissions: [], actors: [], claims: {} },
      cookies: [],
      cors: null,
      expiresAt: null,
      reason: null,
      requirementWritten: true,
      lines: { plane: `${file}:2`, kind: `${file}:5`, require: `${file}:11`, expires: `${file}:5`, cors: `${file}:5` },
      source: `${file}:5`,
    })
    assert.equal(gateway.routes[2]?.expiresAt, Date.UTC(2027, 6, 1))
    assert.equal(gateway.routes[2]?.source, `${file}:18`)
  })

  it('fills in the defaults', () => {
    const gateway = `environment: development
identity: { key: { file: k.pem } }
providers: [{ name: p, plane: { claim: gty, machine: [cc] }, issuer: https://p.example/, audiences: [a], algorithms: [EdDSA] }]
limits: [{ name: l, key: ip, rate: 20/h }]
upstreams: { u: { targets: [https://u.example:8443/] } }
`
    const result = loaded(load(gateway, 'routes: [{ id: r, plane: BOTH, upstream: u, path: / , require: any }]'))
    const compiled = result.gateway
    assert.deepEqual(compiled.server, {
      host: '127.0.0.1',
      port: 8080,
      trustedProxies: [],
      requestTimeout: 60_000,
      maxBodySize: 10_485_760,
      workers: 1,
    })
    assert.deepEqual(compiled.admin, { host: '127.0.0.1', port: 9090, token: null })
    assert.equal(compiled.publicOrigin, 'http://127.0.0.1:8080')
    assert.equal(compiled.strictStartup, false)
    assert.equal(compiled.apiKeyHeader, 'X-API-Key')
    assert.deepEqual([compiled.workerPaths, compiled.adminPaths], [[], []])
    const { keyFile, ...identity } = compiled.identity
    assert.match(keyFile, /^\/.*\/k\.pem$/)
    assert.deepEqual(identity, {
      header: 'X-Planegate-Assertion',
      issuer: 'http://127.0.0.1:8080',
      ttl: 60_000,
      previousKeyFiles: [],
      binding: 'session',
      forwardClaims: [],
      reserved: [],
    })
    assert.deepEqual(compiled.revocation, { onUnavailable: 'deny', maxStaleness: 5_000, retention: 400 * 86_400_000 })
    assert.equal(compiled.stores.database.migrate, 'auto')
    assert.equal(compiled.stores.redis, null)
    const { directory, ...audit } = compiled.audit
    assert.match(directory, /^\/.*\/data\/audit$/)
    assert.deepEqual(audit, {
      success: true,
      limits: true,
      keyFile: null,
      previousKeyFiles: [],
      onUnavailable: 'deny',
      segment: { size: 64 * 1024 * 1024, age: 86_400_000, compressAfter: 3_600_000 },
      checkpoint: { every: 10_000, interval: 30_000 },
      anchor: null,
      pseudonymKey: null,
    })
    assert.equal(compiled.providerStatusExposure, 'admin')
    assert.equal(compiled.developmentIssuer, false)
    const [{ source, ...limit } = { source: '' }] = compiled.limits
    assert.deepEqual(limit, { name: 'l', key: 'ip', on: 'requests', count: 20, periodMs: 3_600_000, burst: 20 })
    assert.match(source, /gateway\.yaml:4$/)
    assert.deepEqual(compiled.upstreams[0]?.targets, ['https://u.example:8443'])
    assert.deepEqual(compiled.upstreams[0]?.timeouts, { connect: 2_000, headers: 30_000, idle: 60_000 })
    assert.equal(compiled.upstreams[0]?.audience, 'u')
    const [provider] = compiled.providers
    assert.deepEqual(provider?.plane, { claim: 'gty', machine: ['cc'], human: [] })
    assert.equal(provider?.issuer, 'https://p.example/')
    assert.deepEqual(provider?.keys, { from: 'discovery' })
    assert.deepEqual(provider?.types, ['at+jwt', 'JWT'])
    assert.equal(provider?.clockSkew, 30_000)
    assert.deepEqual(provider?.requiredClaims, ['sub'])
    assert.deepEqual(provider?.claims, {
      subject: 'sub',
      session: 'sid',
      scopes: 'scope',
      roles: 'roles',
      account: 'account_id',
      team: 'team_id',
    })
    assert.deepEqual(compiled.routes[0]?.require, null)
    assert.deepEqual(compiled.routes[0]?.methods, ['GET', 'HEAD'])
  })

  it('holds a rule through the end of its last day in UTC', () => {
    const folder = folderOf({
      'gateway.yaml': GATEWAY,
      'routes/r.yaml': routes('{ id: a, path: /a, expires: 2027-06-30, require: any }'),
    })
    const at = (now: number) => loadGateway(join(folder, 'gateway.yaml'), { now, env: {} }).ok
    assert.equal(at(Date.UTC(2027, 6, 1) - 1), true)
    assert.equal(at(Date.UTC(2027, 6, 1)), false)
  })

  it('takes the database from the environment', () => {
    const gateway = `${GATEWAY}stores: { database: { url: { env: DATABASE_URL } } }\n`
    assert.equal(
      loaded(load(gateway, ROUTES, { DATABASE_URL: 'sqlite:/var/x.db' })).gateway.stores.database.url,
      'sqlite:/var/x.db',
    )
    const found = messages(load(gateway, ROUTES, { DATABASE_URL: 'postgres://u:hunter2@db/x' }))
    assert.deepEqual(found, [
      'stores.database.url: environment variable DATABASE_URL names PostgreSQL, which this version cannot serve; use sqlite:./data/planegate.db',
    ])
  })
})

describe('all mistakes of a run', () => {
  it('names ten of them in two files, each with its line and column', () => {
    const gateway = `environment: developement
publicOrigin: https://api.example.com/v1
server:
  prot: 8080
  requestTimeout: 60
identity:
  key: { file: ./keys/identity.pem }
  ttl: 10m
providers:
  - name: people
    plane: HUMAN
    issuer: https://id.example.com
    audiences: []
    algorithms: [HS256]
upstreams:
  accounts: { targets: [http://127.0.0.1:3001] }
`
    const routes = `plane: HUMAN_ONLY
upstream: acounts
routes:
  - id: a
    path: a
  - id: b
    path: /b
    plane: PUBLIC
`
    const folder = folderOf({ 'gateway.yaml': gateway, 'routes/r.yaml': routes })
    const result = loadGateway(join(folder, 'gateway.yaml'), { now: NOW, env: {} })
    const found = (result.ok ? [] : result.mistakes).map((finding) => formatFinding(finding).replace(`${folder}/`, ''))
    assert.deepEqual(found, [
      'gateway.yaml:1:14 environment: must be one of development, staging, production; did you mean development?',
      'gateway.yaml:2:15 publicOrigin: must not have a path; write https://api.example.com',
      'gateway.yaml:4:3 server.prot: there is no such key; did you mean port?',
      'gateway.yaml:5:19 server.requestTimeout: must be a duration such as 30s, not a number',
      'gateway.yaml:8:8 identity.ttl: must be at most 5m',
      'gateway.yaml:13:16 providers[0].audiences: must not be empty',
      'gateway.yaml:14:18 providers[0].algorithms[0]: HS256 is refused: whoever can verify with a shared secret can also sign; use one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519',
      'routes/r.yaml:2:11 upstream: there is no upstream acounts; did you mean accounts?',
      'routes/r.yaml:5:11 routes[0].path: must start with `/`',
      'routes/r.yaml:6:5 routes[1]: is PUBLIC without a reason: add reason: with the words why nobody has to prove who they are',
    ])
  })

  it('draws no conclusions from what could not be read', () => {
    const found = messages(
      load(GATEWAY, routes('{ id: a, path: /a, plane: PUBLIC, reson: x }', '{ id: b, path: /a, metods: [POST], require: any }')),
    )
    assert.deepEqual(found, [
      'routes[0].reson: there is no such key; did you mean reason?',
      'routes[1].metods: there is no such key; did you mean methods?',
    ])
  })

  it('still checks the routes when gateway.yaml is not YAML', () => {
    const found = messages(load('environment: [\n', routes('{ id: a, path: /a, plane: PUBLIC }')))
    assert.match(found[0] ?? '', /^environment.*: is not valid YAML/)
    assert.match(found.at(-1) ?? '', /^routes\[0\]: is PUBLIC without a reason/)
  })

  it('names keys that are written twice, and goes on', () => {
    const result = load(`${GATEWAY}identity: { key: { file: b.pem } }\nserver: { prot: 1 }\n`)
    const places = (result.ok ? [] : result.mistakes).map(({ line, path, message }: Finding) => `${line} ${path}: ${message}`)
    assert.deepEqual(places, [
      '13 identity: the key is written twice; remove one of the two',
      '14 server.prot: there is no such key; did you mean port?',
    ])
  })

  const secondSpellings: [how: string, entry: string][] = [
    ['an alias', '{ id: a, path: /a, &p plane : HUMAN_ONLY, *p : PUBLIC, reason: x }'],
    ['an alias of a value', '{ id: &k plane, path: /a, plane: HUMAN_ONLY, *k : PUBLIC, reason: x }'],
    ['a number', '{ id: a, path: /a, require: { claims: { "1": x, 1: y } } }'],
    ['a list', '{ id: a, path: /a, require: { claims: { x: x, [x]: y } } }'],
  ]
  for (const [how, entry] of secondSpellings) {
    it(`refuses ${how} as a key, which would write one a second time`, () => {
      const found = messages(load(GATEWAY, routes(entry))).join('\n')
      assert.match(found, /^routes\[0\].*: a key is written out as text; put it in quotes where it looks like a number$/m)
    })
  }

  it('takes aliases as values', () => {
    const entries = ['{ id: a, path: /a, require: &r { scopes: [s] } }', '{ id: b, path: /b, require: *r }']
    assert.deepEqual(loaded(load(GATEWAY, routes(...entries))).gateway.routes[1]?.require?.scopes, ['s'])
  })
})

describe('files', () => {
  const missing = join(folderOf({}), 'gateway.yaml')
  it('a missing file is named', () => {
    const result = loadGateway(missing)
    assert.deepEqual((result.ok ? [] : result.mistakes).map(formatFinding), [`${missing}:1:1 (document): there is no such file`])
  })

  const table: [name: string, gateway: string, expected: RegExp][] = [
    ['an empty file', '', /^\(document\): the file is empty$/],
    ['only a comment', '# nothing\n', /^\(document\): the file is empty$/],
    ['a list', '- a\n', /^\(document\): must be a map of keys, not a list$/],
    ['two documents', `${GATEWAY}---\na: b\n`, /is not valid YAML/],
    ['an unknown tag', `${GATEWAY}server: !secret { port: 1 }\n`, /is not valid YAML/],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
      /its aliases cannot be written out/,
    ],
    ['deep nesting', `a: ${'['.repeat(20_000)}`, /is nested too deeply|is not valid YAML/],
    ['a name that JavaScript owns', `${GATEWAY}server: { __proto__: { port: 1 } }\n`, /is not a name that can be used/],
  ]
  for (const [name, gateway, expected] of table) {
    it(`${name} is a mistake`, () => assert.match(messages(load(gateway))[0] ?? '', expected))
  }

  it('a missing or empty routes folder is a mistake', () => {
    assert.match(messages(load(GATEWAY, null))[0] ?? '', /^routes: there is no folder .*routes$/)
    const folder = folderOf({ 'gateway.yaml': GATEWAY, 'routes/readme.md': '' })
    assert.match(messages(loadGateway(join(folder, 'gateway.yaml')))[0] ?? '', /^routes: .* holds no \*\.yaml/)
    const other = folderOf({ 'gateway.yaml': `${GATEWAY}routes: ./gateway.yaml\n` })
    assert.match(messages(loadGateway(join(other, 'gateway.yaml')))[0] ?? '', /^routes: .* is not a folder$/)
  })

  it('a routes file that cannot be read is a mistake', () => {
    const folder = folderOf({ 'gateway.yaml': GATEWAY, 'routes/main.yaml': ROUTES })
    mkdirSync(join(folder, 'routes/folder.yaml'))
    symlinkSync(join(folder, 'nowhere'), join(folder, 'routes/link.yaml'))
    const found = messages(loadGateway(join(folder, 'gateway.yaml'), { now: NOW, env: {} }))
    assert.deepEqual(found, ['(document): cannot be read (EISDIR)', '(document): there is no such file'])
  })

  it('a .yml file is not read, and that is said', () => {
    const folder = folderOf({
      'gateway.yaml': GATEWAY,
      'routes/main.yaml': ROUTES,
      'routes/more.yml': 'x',
      'routes/.swap.yaml': 'x',
    })
    const { warnings } = loaded(loadGateway(join(folder, 'gateway.yaml'), { now: NOW, env: {} }))
    assert.match(warnings.map(formatFinding).join(), /more\.yml is not read: only \*\.yaml is$/)
  })

  it('several files are one table of routes', () => {
    const folder = folderOf({ 'gateway.yaml': GATEWAY, 'routes/a.yaml': ROUTES, 'routes/b.yaml': ROUTES })
    const found = messages(loadGateway(join(folder, 'gateway.yaml'), { now: NOW, env: {} }))
    assert.match(found[0] ?? '', /^routes\[0\]\.id: is already the id of accounts \(.*a\.yaml:4\)$/)
  })

  it('aliases share values, and mistakes in them are found where they are written', () => {
    const shared = routes('{ id: a, path: /a, require: &r { scopes: [a b] } }', '{ id: b, path: /b, require: *r }')
    const result = load(GATEWAY, shared)
    assert.deepEqual(
      (result.ok ? [] : result.mistakes).map(({ line, path }) => `${line} ${path}`),
      ['4 routes[0].require.scopes[0]', '4 routes[1].require.scopes[0]'],
    )
  })

  it('creates nothing', () => {
    const folder = folderOf({ 'gateway.yaml': GATEWAY, 'routes/main.yaml': ROUTES })
    writeFileSync(join(folder, 'data'), 'a file where the stores want a folder')
    assert.equal(loadGateway(join(folder, 'gateway.yaml'), { now: NOW, env: {} }).ok, true)
  })
})
