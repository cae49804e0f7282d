import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { UsageError } from '../../src/cli/arguments.ts'
import { testCases } from '../../src/cli/test-cases.ts'
import { folderOf, GATEWAY, routes } from '../config/written-configuration.ts'
import { recordedIo } from './recorded-io.ts'

const ROOT = resolve(import.meta.dirname, '../..')

const CONFIG = GATEWAY.replace(
  'upstreams:',
  `  - { name: mixed, plane: { claim: gty, human: [password], machine: [client-credentials] }, issuer: https://mixed.example.com, audiences: [api], algorithms: [RS256] }
upstreams:`,
)
const ROUTES = routes(
  '{ id: read, path: /accounts/*, require: { scopes: [accounts:read] } }',
  '{ id: write, path: /accounts/*, methods: [POST], require: { scopes: [accounts:write] } }',
  '{ id: mine, path: /mine, require: { claims: { sub: alice, iss: "https://id.example.com", tier: gold } } }',
  '{ id: job, path: /workers/job, plane: MACHINE_ONLY, kind: worker, methods: [POST], require: any }',
  '{ id: both, path: /both, plane: BOTH, require: any }',
  '{ id: open, path: /open, plane: PUBLIC, reason: open data }',
)
const CALLERS = `callers:
  reader: { provider: people, scopes: [accounts:read] }
  alice: { provider: people, claims: { tier: gold } }
  robot: { provider: mixed, claims: { gty: client-credentials } }
  person: { provider: mixed, plane: HUMAN }
  key: { apiKey: true }
cases:
`

async function run(cases: string, ...argv: string[]) {
  const folder = folderOf({ 'gateway.yaml': CONFIG, 'routes/main.yaml': ROUTES, 'tests/cases.yaml': cases })
  const io = recordedIo()
  const code = await testCases([join(folder, 'tests/cases.yaml'), ...argv], io)
  return { folder, code, out: io.written.out.replaceAll(`${folder}/`, ''), err: io.written.err }
}

const table = (...entries: string[]) => `config: ../gateway.yaml\n${CALLERS}${entries.map((entry) => `  - ${entry}\n`).join('')}`
const one = (as: string, request: string, expect: string, more = '') =>
  `{ name: it, as: ${as}, request: ${request}, expect: ${expect}${more} }`

describe('planegate test', () => {
  const right: [as: string, request: string, expect: string][] = [
    ['reader', 'GET /accounts/7', 'allow'],
    ['reader', 'GET /accounts/7?x=1', '{ decision: allow, route: read }'],
    ['reader', 'POST /accounts/7', '{ code: scope-insufficient, status: 403, reason: scopes, route: write }'],
    ['reader', 'POST /accounts/7', 'deny'],
    ['alice', 'GET /mine', 'allow'],
    ['reader', 'GET /mine', 'policy-denied'],
    ['key', 'POST /workers/job', 'allow'],
    ['robot', 'POST /workers/job', 'worker-refuses-jwt'],
    ['robot', 'GET /accounts/7', 'plane-mismatch'],
    ['person', 'GET /accounts/7', 'scope-insufficient'],
    ['nobody', 'GET /open', 'allow'],
    ['nobody', 'GET /both', '{ status: 401 }'],
    ['nobody', 'GET /accounts/../open', 'path-ambiguous'],
    ['key', '{ path: /open, headers: { Authorization: Bearer x } }', 'credential-ambiguous'],
    ['nobody', '{ path: /both, headers: { Authorization: [Bearer x, Bearer y] } }', 'credential-ambiguous'],
    ['nobody', '{ path: /.well-known/jwks.json }', '{ decision: allow, route: "planegate:jwks" }'],
  ]
  for (const [as, request, expect] of right) {
    it(`${as}: ${request}: ${expect}`, async () => {
      const { code, out } = await run(table(one(as, request, expect)))
      assert.equal(code, 0, out)
      assert.match(out, /1 case, 1 request, all decided as expected\n$/)
      const opposite = expect.includes('allow') ? 'deny' : 'allow'
      assert.equal((await run(table(one(as, request, opposite)))).code, 1)
    })
  }

  it('says what was expected, what came, and by which rule, with the line of the case', async () => {
    const several =
      '{ name: several, as: reader, requests: [GET /accounts/7, GET /both], expect: { code: scope-insufficient, route: read } }'
    const { code, out } = await run(
      table(one('reader', 'POST /accounts/7', 'allow'), several, one('nobody', 'GET /nowhere', 'credential-missing')),
    )
    assert.equal(code, 1)
    assert.equal(
      out,
      `tests/cases.yaml:9  it: expected allow, got 403 scope-insufficient (scopes), by write (routes/main.yaml:5)
tests/cases.yaml:10  several (GET /accounts/7): expected scope-insufficient by read, got allow, by read (routes/main.yaml:4)
tests/cases.yaml:10  several (GET /both): expected scope-insufficient by read, got allow, by both (routes/main.yaml:8)
tests/cases.yaml:11  it: expected credential-missing, got 404 route-unknown (no-route)
No case comes to 3 routes:
  mine (routes/main.yaml:6)
  job (routes/main.yaml:7)
  open (routes/main.yaml:9)
3 cases, 4 requests, 4 decided otherwise
`,
    )
  })

  it('writes one JSON object', async () => {
    const { code, out, err } = await run(table(one('reader', 'POST /accounts/7', 'allow')), '--json')
    const report = JSON.parse(out)
    assert.deepEqual([code, err, report.ok, report.cases, report.requests, report.mistakes], [1, '', false, 1, 1, []])
    const [{ name, line, as, request, expected, got }] = report.failed
    assert.deepEqual([name, line, as, request, expected], ['it', 9, 'reader', 'POST /accounts/7', { decision: 'allow' }])
    assert.deepEqual(
      [got.code, got.status, got.reason, got.route, got.rule],
      ['scope-insufficient', 403, 'scopes', 'write', 'routes/main.yaml:5'],
    )
    assert.deepEqual(
      report.untouched.map(({ id }: { id: string }) => id),
      ['read', 'mine', 'job', 'both', 'open'],
    )
  })

  it('asks at the time that a case gives', async () => {
    const expiring = routes('{ id: brief, path: /brief, expires: 2098-06-30, plane: PUBLIC, reason: brief }')
    const cases = table(
      one('nobody', 'GET /brief', 'allow'),
      one('nobody', 'GET /brief', '{ code: route-unknown, reason: route-expired }', ', at: 2098-07-01T00:00:00Z'),
    )
    const folder = folderOf({ 'gateway.yaml': CONFIG, 'routes/main.yaml': expiring, 'tests/cases.yaml': cases })
    const io = recordedIo()
    assert.equal(await testCases([join(folder, 'tests/cases.yaml')], io), 0, io.written.out)
  })

  it('takes the configuration of --config before that of the file', async () => {
    const other = folderOf({ 'gateway.yaml': CONFIG, 'routes/main.yaml': routes('{ id: read, path: /other, require: any }') })
    const { code, out } = await run(
      table(one('reader', 'GET /accounts/7', 'route-unknown')),
      '--config',
      join(other, 'gateway.yaml'),
    )
    assert.equal(code, 0, out)
  })

  it('needs no key, no database, and writes nothing', async () => {
    const { folder, code } = await run(table(one('key', 'GET /both', 'allow')))
    assert.equal(code, 0)
    assert.deepEqual(readdirSync(folder).toSorted(), ['gateway.yaml', 'routes', 'tests'])
  })

  const mistaken: [name: string, cases: string, expected: string[]][] = [
    [
      'a provider that is not there, and planes that cannot be',
      `config: ../gateway.yaml
callers:
  a: { provider: peopel }
  b: { provider: people, plane: MACHINE }
  c: { provider: mixed }
  d: { provider: mixed, plane: HUMAN, claims: { gty: client-credentials } }
cases:
  - { name: it, as: a, request: GET /, expect: allow }
`,
      [
        'tests/cases.yaml:3:18 callers.a.provider: there is no such provider; did you mean people?',
        'tests/cases.yaml:4:33 callers.b.plane: is not the plane of provider people, which is HUMAN',
        'tests/cases.yaml:5:3 callers.c: provider mixed reads the plane from the claim gty: add plane: HUMAN or MACHINE',
        'tests/cases.yaml:6:32 callers.d.plane: is not what the claim gty says to provider mixed: MACHINE',
      ],
    ],
    [
      'codes, reasons, states and routes that are not there',
      table(
        one('key', 'GET /', 'scope-insuficient'),
        one('key', 'GET /', 'rate-limited'),
        one('key', 'GET /', '{ code: policy-denied, status: 401, reason: claim, route: raed }'),
        one('key', 'GET /', '{ decision: allow, code: policy-denied }'),
      ),
      [
        'tests/cases.yaml:9:50 cases[0].expect: there is no such refusal code; did you mean scope-insufficient?',
        'tests/cases.yaml:10:50 cases[1].expect: does not come of the configuration alone, so it cannot be expected here',
        'tests/cases.yaml:11:81 cases[2].expect.status: policy-denied is always 403',
        'tests/cases.yaml:11:94 cases[2].expect.reason: there is no such reason of policy-denied; did you mean claims?',
        'tests/cases.yaml:11:108 cases[2].expect.route: there is no such route; did you mean read?',
        'tests/cases.yaml:12:75 cases[3].expect.code: what is allowed has no refusal code',
      ],
    ],
  ]
  for (const [name, cases, expected] of mistaken) {
    it(`lists ${name}`, async () => {
      const { code, out } = await run(cases)
      assert.equal(code, 1)
      assert.deepEqual(out.split('\n').slice(0, -2), expected)
      assert.match(out, new RegExp(`\n${expected.length} mistakes\n$`))
    })
  }

  it('lists the mistakes of both files at once', async () => {
    const other = folderOf({ 'gateway.yaml': `${CONFIG}prot: 1\n`, 'routes/main.yaml': ROUTES })
    const { code, out } = await run(table(one('kye', 'GET /', 'allow')), '--json', '--config', join(other, 'gateway.yaml'))
    assert.equal(code, 1)
    const { ok, mistakes } = JSON.parse(out)
    assert.deepEqual([ok, mistakes.map(({ path }: { path: string }) => path)], [false, ['prot', 'cases[0].as']])
  })

  for (const argv of [[], ['a', 'b'], ['a', '--confg', 'b']]) {
    it(`does not understand ${argv.join(' ') || 'nothing'}`, async () => {
      await assert.rejects(testCases(argv, recordedIo()), UsageError)
    })
  }

  it('finds the example of this project as its table says, as a process', () => {
    const test = (...argv: string[]) =>
      spawnSync(process.execPath, ['src/main.ts', 'test', ...argv], { cwd: ROOT, encoding: 'utf8' })
    const example = test('config/cases.yaml')
    assert.deepEqual(
      [example.status, example.stdout, example.stderr],
      [0, '14 cases, 24 requests, all decided as expected\n', ''],
    )
    assert.equal(test().status, 2)
  })
})
