import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { explainRequest } from '../../src/cli/explain.ts'
import { fileLifetime, filesOf, run } from '../e2e/program.ts'
import { type Presentable, presentable } from '../explain/credentials.ts'
import { BASICS } from '../support/gateway.ts'
import { namedPipe } from '../support/named-pipe.ts'
import { recordedIo } from './recorded-io.ts'

const CONFIG = `
apiKeys: { header: X-Key }
invariants: { workerPaths: [/workers/*], adminPaths: [/admin/*] }
limits: [{ name: per-address, key: ip, rate: 600/min, burst: 100 }]
upstreams: { things: { targets: ['http://127.0.0.1:9'] } }
providers:
  - { name: down, plane: HUMAN, issuer: 'http://127.0.0.1:1', audiences: [a], algorithms: [RS256], jwks: { url: 'http://127.0.0.1:1/jwks' } }
`
const ROUTES = `
plane: BOTH
upstream: things
routes:
  - { id: things, path: /things/:id, require: { scopes: [things:read] } }
  - { id: human, path: /human, plane: HUMAN_ONLY, methods: [POST], require: any }
  - { id: worker, path: /workers/jobs, methods: [POST], require: any }
  - { id: admin, path: /admin/users, require: any }
  - { id: hosted, path: /hosted, hosts: [api.example.com], require: any }
  - { id: bygone, path: /bygone, require: any, expires: 2020-01-31 }
`

const lifetime = fileLifetime()
let folder: string
let file: string
let have: Presentable

before(async () => {
  ;({ folder, file } = filesOf(lifetime, CONFIG, ROUTES, BASICS.replace('127.0.0.1:8080', 'localhost:8080')))
  have = await presentable(file)
})

const token = (claims: Record<string, unknown> = {}) =>
  have.issuer.sign({ sub: 'alice', plane: 'human', scope: 'things:read', ...claims })
const asked = (method: string, path: string, ...more: string[]) => ['--method', method, '--path', path, ...more]

/** In this process, which is quicker than one of its own and runs the same. */
async function explain(argv: readonly string[], input?: string) {
  const io = recordedIo()
  const code = await explainRequest([...argv, '--config', file], io, input === undefined ? undefined : () => input)
  return { code, ...io.written }
}

async function explainJson(argv: readonly string[], input?: string) {
  const { code, out, err } = await explain([...argv, '--json'], input)
  assert.equal(err, '')
  return { exit: code, ...JSON.parse(out) }
}

describe('planegate explain', () => {
  it('as a process: what is allowed ends with 0, and says so in words', async (t) => {
    const { code, stdout, stderr } = await run(t, ['explain', '--config', file, ...asked('GET', '/things/7', '--token', token())])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(
      stdout,
      /^ 1 {2}takeAddressAllowance {2}passed {2}\[.*gateway\.yaml:\d+\]\n {4}the address 127\.0\.0\.1\n {4}> per-address: not counted here \(600\/min, burst 100\)\n/,
    )
    assert.match(stdout, / 8 {2}verify {16}passed {2}\[development\.issuer\]\n/)
    assert.match(stdout, /\n13 {2}forward {15}passed [\s\S]*\n\nallowed, by .*all\.yaml:5\n/)
    assert.match(stdout, /\nhuman JWT {2}machine JWT {2}API key {2}nobody\nallow {6}allow {8}allow {4}credential-missing\n/)
    assert.ok(!stdout.includes('eyJ'))
  })

  it('as a process: what is refused ends with 1, as JSON and nothing else', async (t) => {
    const { code, stdout, stderr } = await run(t, [
      'explain',
      '--config',
      file,
      '--json',
      ...asked('POST', '/workers/jobs', '--token', token()),
    ])
    assert.deepEqual([code, stderr], [1, ''])
    const { steps, row, notes, means, remedy, rule, headers, ...rest } = JSON.parse(stdout)
    assert.deepEqual(rest, {
      decision: 'deny',
      code: 'worker-refuses-jwt',
      status: 403,
      reason: 'jwt-on-worker-path',
      route: 'worker',
      plane: 'BOTH',
      actor: null,
      method: 'POST',
      path: '/workers/jobs',
    })
    assert.ok(means.endsWith('.') && remedy.endsWith('.') && Array.isArray(notes))
    assert.match(rule, /gateway\.yaml:\d+$/)
    assert.deepEqual(headers, {})
    assert.deepEqual(row, {
      human: 'worker-refuses-jwt',
      machineJwt: 'worker-refuses-jwt',
      apiKey: 'allow',
      nobody: 'credential-missing',
    })
    assert.deepEqual(
      steps.map(({ verdict }: { verdict: string }) => verdict),
      [...Array(4).fill('passed'), 'refused', ...Array(8).fill('not-reached')],
    )
    assert.deepEqual(Object.keys(steps[4]), ['stage', 'verdict', 'input', 'says', 'rule'])
  })

  it('as a process: a secret from standard input, wrong usage, and a request from a file', async (t) => {
    assert.equal((await run(t, ['explain', '--config', file, '--method', 'GET'])).code, 2)
    const text = join(folder, 'request.http')
    writeFileSync(text, `GET /things/7 HTTP/1.1\nHost: a\nX-Key: ${have.key}\n\n`)
    const fromFile = await run(t, ['explain', '--config', file, '--request', text])
    assert.equal(fromFile.code, 0, fromFile.stdout)
  })

  const decisions: [name: string, expected: string, argv: () => string[]][] = [
    ['a human', 'allow', () => asked('GET', '/things/7', '--token', token())],
    ['an API key, in the header that is configured', 'allow', () => asked('GET', '/things/7', '--api-key', have.key)],
    [
      'I1',
      'credential-ambiguous several-credentials',
      () => asked('GET', '/things/7', '--api-key', have.key, '--token', token()),
    ],
    [
      'I1, by a header',
      'credential-ambiguous several-credentials',
      () => asked('GET', '/things/7', '--header', 'X-API-Key: x', '--token', token()),
    ],
    ['I2', 'plane-mismatch api-key-on-human-route', () => asked('POST', '/human', '--api-key', have.key)],
    ['I3', 'worker-refuses-jwt jwt-on-worker-path', () => asked('POST', '/workers/jobs', '--token', token({ plane: 'machine' }))],
    ['I4', 'admin-refuses-api-key api-key-on-admin-path', () => asked('GET', '/admin/users', '--api-key', have.key)],
    ['no such route', 'route-unknown no-route', () => asked('GET', '/thing/7')],
    ['an expired rule', 'route-unknown route-expired', () => asked('GET', '/bygone', '--token', token())],
    ['a missing scope', 'scope-insufficient scopes', () => asked('GET', '/things/7', '--token', token({ scope: '' }))],
    [
      'a revoked session',
      'credential-invalid session-revoked',
      () => asked('GET', '/things/7', '--token', token({ sid: 'gone' })),
    ],
    ['an issuer that is down', 'keys-unavailable keys-unreachable', () => asked('GET', '/things/7', '--token', downToken())],
    ['a host', 'allow', () => asked('GET', '/hosted', '--token', token(), '--host', 'api.example.com')],
    ['a host by its header', 'allow', () => asked('GET', '/hosted', '--token', token(), '--header', 'host: api.example.com')],
    ['another host', 'route-unknown no-route', () => asked('GET', '/hosted', '--token', token())],
    [
      'an address that the key is not for',
      'credential-invalid address-not-allowed',
      () => asked('GET', '/things/7', '--api-key', have.distantKey),
    ],
    ['one that it is for', 'allow', () => asked('GET', '/things/7', '--api-key', have.distantKey, '--address', '192.0.2.7')],
    ['a WebSocket', 'allow', () => asked('GET', '/things/7', '--token', token(), '--upgrade')],
    ['a WebSocket by POST', 'request-malformed upgrade-method', () => asked('POST', '/human', '--token', token(), '--upgrade')],
    [
      'a WebSocket with a version of its own',
      'request-malformed websocket-version',
      () => asked('GET', '/things/7', '--token', token(), '--upgrade', '--header', 'Sec-WebSocket-Version: 8'),
    ],
    [
      'a WebSocket where none can be',
      'request-malformed upgrade-of-an-endpoint',
      () => asked('GET', '/.well-known/jwks.json', '--upgrade'),
    ],
    ['a path with a space', 'request-malformed parser-error', () => asked('GET', '/things/7 8')],
    ['a path of two readings', 'path-ambiguous dot-segment', () => asked('GET', '/things/../7')],
  ]
  for (const [name, expected, argv] of decisions) {
    it(`${name}: ${expected}`, async () => {
      const { exit, decision, code, reason } = await explainJson(argv())
      assert.equal(code === null ? decision : `${code} ${reason}`, expected)
      assert.equal(exit, decision === 'allow' ? 0 : 1)
    })
  }

  it('lists the routes that may have been meant', async () => {
    const { out } = await explain(asked('GET', '/thing/7'))
    assert.match(out, /REFUSED[\s\S]*the nearest: things: GET,HEAD \/things\/:id\s+\(.*all\.yaml:5\)/)
    assert.match(out, /\nrefused: 404 route-unknown \(no-route\)\n {4}means: [\s\S]*to do: /)
  })

  it('shows what the client gets, and what would help', async () => {
    const { out } = await explain(asked('GET', '/things/7', '--token', token({ scope: 'a' })))
    assert.match(out, /\nrefused: 403 scope-insufficient \(scopes\), by .*all\.yaml:5\n/)
    assert.match(out, /the client gets www-authenticate: Bearer error="insufficient_scope", scope="things:read"\n/)
    assert.match(out, /scopes things:read: missing things:read/)
  })

  it('takes credentials from standard input and from files', async () => {
    writeFileSync(join(folder, 'token'), `${token()}\n`)
    assert.equal((await explain(asked('GET', '/things/7', '--token', `@${join(folder, 'token')}`))).code, 0)
    assert.equal((await explain(asked('GET', '/things/7', '--token', '-'), `${token()}\n`)).code, 0)
    assert.equal((await explain(asked('GET', '/things/7', '--api-key', '-'), have.key)).code, 0)
  })

  const texts: [name: string, expected: string, text: () => string][] = [
    ['line ends of an editor', 'allow', () => `GET /things/7 HTTP/1.1\nHost: a\nX-Key: ${have.key}\n\n`],
    ['line ends of the wire', 'allow', () => `GET /things/7 HTTP/1.1\r\nHost: a\r\nX-Key: ${have.key}\r\n\r\n`],
    [
      'a body with line ends of its own',
      'credential-missing',
      () => 'GET /things/7 HTTP/1.1\nHost: a\nContent-Length: 4\n\na\n\nb',
    ],
    ['both kinds', 'request-malformed', () => `GET /things/7 HTTP/1.1\r\nHost: a\nX-Key: ${have.key}\r\n\r\n`],
    ['no end', 'request-malformed', () => 'GET /things/7 HTTP/1.1\nHost: a\n'],
    ['nothing', 'request-malformed', () => ''],
    [
      'two lengths',
      'request-malformed',
      () => 'GET /things/7 HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n\n',
    ],
    ['a name', 'credential-missing', () => 'GET /things/7 HTTP/1.1\nHost: a\nX-Request-Id: 01J9ZK\n\n'],
  ]
  for (const [name, expected, text] of texts) {
    it(`reads a request as text, with ${name}: ${expected}`, async () => {
      const { code, decision, requestId, notes } = await explainJson(['--request', '-'], text())
      assert.equal(code ?? decision, expected)
      assert.equal(requestId, name === 'a name' ? '01J9ZK' : undefined)
      if (name === 'no end') assert.match(notes.join(), /does not end with an empty line/)
    })
  }

  const wrong: [name: string, argv: string[]][] = [
    ['nothing', []],
    ['no path', ['--method', 'GET']],
    ['no method', ['--path', '/x']],
    ['an empty path', asked('GET', '')],
    ['an unknown option', asked('GET', '/x', '--tokn', 'x')],
    ['a surplus argument', asked('GET', '/x', 'y')],
    ['a line end in the path', asked('GET', '/x\r\nX-Evil: 1')],
    ['a line end in the method', asked('GET\n', '/x')],
    ['a line end in a header', asked('GET', '/x', '--header', 'A: b\nC: d')],
    ['a line end in the token', asked('GET', '/x', '--token', 'a\nb')],
    ['a line end in the host', asked('GET', '/x', '--host', 'a\r')],
    ['a header without a colon', asked('GET', '/x', '--header', 'A')],
    ['an address that is none', asked('GET', '/x', '--address', 'localhost')],
    ['an empty token', asked('GET', '/x', '--token', '')],
    ['two values from standard input', asked('GET', '/x', '--token', '-', '--api-key', '-')],
    ['a whole request and a part', ['--request', '-', '--path', '/x']],
    ['a whole request and an upgrade', ['--request', '-', '--upgrade']],
  ]
  for (const [name, argv] of wrong) {
    it(`does not understand ${name}`, async () => {
      const { code, out, err } = await explain(argv, '')
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, /^planegate explain: .+\n$/)
    })
  }

  it('names a file that is not there', async () => {
    const { code, out, err } = await explain(['--request', join(folder, 'none')])
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /--request: the file .*none cannot be read \(ENOENT\)/)
  })

  it('reads nothing that never ends', async () => {
    const pipe = namedPipe(join(folder, 'pipe'))
    for (const argv of [
      asked('GET', '/x', '--token', `@${pipe}`),
      asked('GET', '/x', '--api-key', '@/dev/zero'),
      ['--request', pipe],
      ['--request', '/dev/zero'],
    ]) {
      const { code, out, err } = await explain(argv)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, /^planegate explain: --[a-z-]+: the file \S+ is no regular file; .* standard input, which is -\n$/)
    }
    writeFileSync(join(folder, 'large'), Buffer.alloc(1024 * 1024 + 1, 'a'))
    assert.match((await explain(asked('GET', '/x', '--token', `@${join(folder, 'large')}`))).err, / is larger than 1048576 bytes/)
    const io = recordedIo()
    assert.equal(await explainRequest([...asked('GET', '/x'), '--config', pipe], io), 1)
    assert.match(io.written.out, /pipe:1:1 \(document\): is no regular file\n/)
    const { folder: other, file: piped } = filesOf(lifetime, CONFIG, ROUTES)
    mkdirSync(join(other, 'data'), { recursive: true })
    namedPipe(join(other, 'data', 'planegate.db'))
    const database = recordedIo()
    assert.equal(await explainRequest([...asked('GET', '/x'), '--config', piped], database), 1)
    assert.match(database.written.err, /cannot read the database .*planegate\.db: it is no regular file\n$/)
  })

  it('as a process: reads standard input, up to a bound', async () => {
    const main = (...argv: string[]) => ['src/main.ts', 'explain', '--config', file, ...argv]
    const bytes = `GET /things/7 HTTP/1.1\nHost: a\nX-Key: ${have.key}\n\n`
    const options = { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' as const }
    assert.equal(spawnSync(process.execPath, main('--request', '-'), { ...options, input: bytes }).status, 0)
    const input = Buffer.alloc(1024 * 1024 + 1, 'a')
    const endless = spawnSync(process.execPath, main('--method', 'GET', '--path', '/x', '--token', '-'), { ...options, input })
    assert.deepEqual([endless.status, endless.stdout], [2, ''])
    assert.match(endless.stderr, /--token: standard input is larger than 1048576 bytes\n$/)
  })

  it('lists mistakes of the configuration as check does', async () => {
    const { file: broken } = filesOf(lifetime, 'prot: 1\n', ROUTES)
    for (const argv of [[], ['--json']]) {
      const io = recordedIo()
      assert.equal(await explainRequest([...asked('GET', '/x'), '--config', broken, ...argv], io), 1)
      if (argv.length === 0) assert.match(io.written.out, /gateway\.yaml:\d+:1 prot: .*\n[\s\S]*mistakes?\n$/)
      else
        assert.equal(
          JSON.parse(io.written.out).mistakes.some(({ path }: { path: string }) => path === 'prot'),
          true,
        )
    }
  })

  it('says when the database cannot be used', async () => {
    const { folder: other, file: unusable } = filesOf(lifetime, CONFIG, ROUTES)
    await presentable(unusable)
    writeFileSync(join(other, 'data', 'planegate.db'), 'no database'.repeat(500))
    const io = recordedIo()
    assert.equal(await explainRequest([...asked('GET', '/x'), '--config', unusable], io), 1)
    assert.match(io.written.err, /^planegate explain: cannot read the database .*planegate\.db/)
  })
})

/** A token of the issuer that is down. Nobody comes to look at its signature. */
function downToken(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', typ: 'JWT', kid: 'k' })}.${part({ iss: 'http://127.0.0.1:1' })}.c2lnbmF0dXJl`
}
