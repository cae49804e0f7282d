import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { loadGateway } from '../../src/config/load.ts'
import { mintApiKey } from '../../src/stores/api-keys/format.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { sqlCredentialStore } from '../../src/stores/sql/sql-credential-store.ts'
import { developmentIssuerOptions, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'
import { Explained } from '../support/explained.ts'
import {
  BASICS,
  gatewayFolder,
  type RawAnswer,
  RecordingUpstream,
  type RunningGateway,
  startGateway,
} from '../support/gateway.ts'

/** Every invariant, through a listening gateway and raw sockets, by carriers and spellings that a client library would tidy away. */

let upstream: RecordingUpstream
let gateway: RunningGateway
let explained: Explained
let human = ''
let machine = ''
let key = ''

before(async () => {
  upstream = await RecordingUpstream.start()
  const files = gatewayFolder(
    `${BASICS}
invariants: { workerPaths: [/workers/*], adminPaths: [/admin/*] }
upstreams: { things: { targets: ['${upstream.origin}'] } }
`,
    {
      things: `
plane: BOTH
upstream: things
routes:
  - { id: both, path: /both/*, methods: [GET, POST, OPTIONS], require: any }
  - { id: human, path: /human/*, methods: [GET, POST, OPTIONS], plane: HUMAN_ONLY, require: any }
  - { id: machine, path: /machine/*, methods: [GET, POST, OPTIONS], plane: MACHINE_ONLY, require: any }
  - { id: public, path: /public/*, methods: [GET, POST, OPTIONS], plane: PUBLIC, reason: test }
  - { id: worker, path: /workers/*, methods: [GET, POST, OPTIONS], kind: worker, require: any }
  - { id: hidden-worker, path: /api/workers/*, methods: [GET, POST, OPTIONS], stripPrefix: /api, require: any }
  - { id: kind-worker, path: /jobs, methods: [GET], kind: worker, require: any }
  - { id: admin, path: /admin/*, methods: [GET, POST, OPTIONS], kind: admin, require: any }
  - { id: hidden-admin, path: /v1/admin/*, methods: [GET, POST, OPTIONS], stripPrefix: /v1, require: any }
  - { id: kind-admin, path: /settings, methods: [GET], kind: admin, require: any }
  - { id: rest, path: /*, methods: [GET, POST, OPTIONS], require: any }
`,
    },
  )
  const loaded = loadGateway(files.file)
  assert.ok(loaded.ok)
  const issuer = openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway))
  human = issuer.sign({ sub: 'alice', plane: 'human', sid: 's-1' })
  machine = issuer.sign({ sub: 'reporter', plane: 'machine' })
  key = await createKey(loaded.gateway.stores.database)
  gateway = await startGateway(files)
  explained = await Explained.beside(gateway)
})

after(async () => {
  await explained.close()
  await gateway.stop()
  upstream.close()
})

async function createKey(database: Parameters<typeof openDatabase>[0]): Promise<string> {
  const db = await openDatabase(database)
  const store = sqlCredentialStore(db, { clock: { now: Date.now, monotonic: () => performance.now() } })
  const minted = mintApiKey('dev')
  const { id, digest } = minted
  await store.createApiKey(
    {
      id,
      digest,
      owner: 'acme',
      scopes: [],
      cidrs: [],
      createdAt: Date.now(),
      expiresAt: null,
      revokedAt: null,
      replacedBy: null,
    },
    'test',
  )
  store.close()
  await db.close()
  return minted.key
}

/** `J` a human's token, `M` a machine's, `K` an API key: replaced in header lines and targets. */
function fill(text: string): string {
  return text.replaceAll('{J}', human).replaceAll('{M}', machine).replaceAll('{K}', key)
}

function send(method: string, target: string, headers: readonly string[]): Promise<RawAnswer> {
  const lines = [`${method} ${fill(target)} HTTP/1.1`, 'Host: api.example.com', ...headers.map(fill), 'Connection: close', '', '']
  return explained.send(lines.join('\r\n'), { waitForClose: true })
}

function upgrade(target: string, headers: readonly string[]): Promise<RawAnswer> {
  const opening = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const lines = [`GET ${fill(target)} HTTP/1.1`, 'Host: api.example.com', ...opening, ...headers.map(fill), '', '']
  return explained.send(lines.join('\r\n'), { waitForClose: true })
}

/** The request is refused with this code, the upstream untouched, and there is exactly one record of it. */
async function refused(code: string, status: number, ask: () => Promise<RawAnswer>): Promise<void> {
  const seenBefore = upstream.seen.length
  const answer = await ask()
  assert.equal(answer.status, status, answer.text)
  assert.equal(upstream.seen.length, seenBefore, 'the upstream was reached')
  const requestId = answer.headers['x-request-id']
  const records = (await gateway.records(requestId)).filter((record) => record.requestId === requestId)
  assert.deepEqual(
    records.map((record) => [record.code, record.decision, record.status]),
    [[code, 'deny', status]],
  )
}

const BEARER = 'Authorization: Bearer {J}'
const API_KEY = 'X-API-Key: {K}'
const VARIANTS = [
  ['GET', (target: string, headers: readonly string[]) => send('GET', target, headers)],
  ['HEAD', (target: string, headers: readonly string[]) => send('HEAD', target, headers)],
  ['OPTIONS', (target: string, headers: readonly string[]) => send('OPTIONS', target, headers)],
  ['an upgrade', upgrade],
] as const

describe('I1 no_mixed_auth', () => {
  const carriers: [name: string, target: string, headers: string[]][] = [
    ['a token and a key', '/x', [BEARER, API_KEY]],
    ['a key and a token', '/x', [API_KEY, BEARER]],
    ['two tokens', '/x', [BEARER, BEARER]],
    ['two different tokens', '/x', [BEARER, 'Authorization: Bearer {M}']],
    ['two keys', '/x', [API_KEY, API_KEY]],
    ['Basic beside a key', '/x', ['Authorization: Basic eDp5', API_KEY]],
    ['an empty Authorization beside a key', '/x', ['Authorization:', API_KEY]],
    ['a key spelled with underscores', '/x', [BEARER, 'x_api_key: {K}']],
    ['a key spelled with dots', '/x', [BEARER, 'X.Api.Key: {K}']],
    ['a key in any header', '/x', [BEARER, 'X-Custom: {K}']],
    ['a key as a cookie header', '/x', [BEARER, 'Cookie: {K}']],
    ['a token in the query beside a header', '/x?access_token={J}', [BEARER]],
    ['a token in the query beside a key', '/x?access_token={J}', [API_KEY]],
    ['a key in the query beside a token', '/x?a=1&api_key={K}', [BEARER]],
    ['an escaped name in the query', '/x?access%5Ftoken=x', [BEARER]],
    ['a doubly escaped name in the query', '/x?acces%2573_token=x', [BEARER]],
    ['two in the query', '/x?access_token=a&access_token=b', []],
    ['two tokens in one header', '/x', ['Authorization: Bearer {J}, Bearer {M}']],
    ['a token and a key in one header', '/x', ['Authorization: Bearer {J}, {K}']],
    ['two keys in one header', '/x', ['X-API-Key: {K}, {K}']],
    ['a token in Proxy-Authorization', '/x', ['Proxy-Authorization: Bearer {J}', API_KEY]],
    ['tokens hidden behind Connection', '/x', ['Connection: authorization', BEARER, API_KEY]],
  ]
  for (const [name, target, headers] of carriers) {
    for (const [how, ask] of VARIANTS) {
      for (const prefix of ['/both', '/public']) {
        test(`refuses ${name} (${how}, ${prefix})`, () =>
          refused('credential-ambiguous', 400, () => ask(prefix + target, headers)))
      }
    }
  }
  test('comes before every other invariant', async () => {
    await refused('credential-ambiguous', 400, () => send('GET', '/workers/x', [BEARER, API_KEY]))
    await refused('credential-ambiguous', 400, () => send('GET', '/admin/x', [BEARER, API_KEY]))
    await refused('credential-ambiguous', 400, () => send('GET', '/human/x', [BEARER, API_KEY]))
  })
})

describe('I2 plane_match', () => {
  const cases: [name: string, target: string, headers: string[]][] = [
    ['a key on a human route', '/human/x', [API_KEY]],
    ['a key that does not exist, on a human route', '/human/x', ['X-API-Key: pgk_dev_nobody']],
    ['garbage as a key, on a human route', '/human/x', ['X-API-Key: garbage']],
    ['an empty key on a human route', '/human/x', ['X-API-Key:']],
    ['a machine token on a human route', '/human/x', ['Authorization: Bearer {M}']],
    ['a human token on a machine route', '/machine/x', [BEARER]],
    ['a human token in a scheme of other case', '/machine/x', ['authorization: bEaReR {J}']],
    ['a human token on an escaped path', '/%6dachine/x', [BEARER]],
    ['a key on an escaped path', '/hum%61n/x', [API_KEY]],
    ['a key by an absolute form', 'http://api.example.com/human/x', [API_KEY]],
  ]
  for (const [name, target, headers] of cases) {
    for (const [how, ask] of VARIANTS)
      test(`refuses ${name} (${how})`, () => refused('plane-mismatch', 403, () => ask(target, headers)))
  }
})

describe('I3 no_worker_jwt', () => {
  const cases: [name: string, target: string, headers: string[]][] = [
    ['a human token', '/workers/x', [BEARER]],
    ['a machine token', '/workers/x', ['Authorization: Bearer {M}']],
    ['garbage as a token', '/workers/x', ['Authorization: Bearer garbage']],
    ['a scheme without a token', '/workers/x', ['Authorization: Bearer']],
    ['an API key as a bearer token', '/workers/x', ['Authorization: Bearer {K}']],
    ['a scheme in other case', '/workers/x', ['AUTHORIZATION: BEARER {M}']],
    ['the root of the worker paths', '/workers', [BEARER]],
    ['capitals', '/WORKERS/x', [BEARER]],
    ['an escaped path', '/%77orkers/x', [BEARER]],
    ['a path that becomes a worker path upstream', '/api/workers/x', ['Authorization: Bearer {M}']],
    ['a path that becomes a worker path upstream, in capitals', '/api/workers/X', [BEARER]],
    ['a query behind it', '/workers/x?a=1', [BEARER]],
    ['an absolute form', 'http://api.example.com/workers/x', [BEARER]],
  ]
  for (const [name, target, headers] of cases) {
    for (const [how, ask] of VARIANTS)
      test(`refuses ${name} (${how})`, () => refused('worker-refuses-jwt', 403, () => ask(target, headers)))
  }
  test('holds for a route of that kind anywhere', () =>
    refused('worker-refuses-jwt', 403, () => send('GET', '/jobs', ['Authorization: Bearer {M}'])))
})

describe('I4 admin_no_api_key', () => {
  const cases: [name: string, target: string, headers: string[]][] = [
    ['a key', '/admin/x', [API_KEY]],
    ['a key that does not exist', '/admin/x', ['X-API-Key: pgk_dev_nobody']],
    ['garbage as a key', '/admin/x', ['X-API-Key: garbage']],
    ['an empty key', '/admin/x', ['X-API-Key:']],
    ['a header in other case', '/admin/x', ['x-api-KEY: {K}']],
    ['the root of the admin paths', '/admin', [API_KEY]],
    ['capitals', '/ADMIN/x', [API_KEY]],
    ['mixed case', '/aDmIn/x', [API_KEY]],
    ['an escaped path', '/%61dmin/x', [API_KEY]],
    ['a path that becomes an admin path upstream', '/v1/admin/x', [API_KEY]],
    ['a query behind it', '/admin/x?a=1', [API_KEY]],
    ['an absolute form', 'http://api.example.com/admin/x', [API_KEY]],
  ]
  for (const [name, target, headers] of cases) {
    for (const [how, ask] of VARIANTS)
      test(`refuses ${name} (${how})`, () => refused('admin-refuses-api-key', 403, () => ask(target, headers)))
  }
  test('holds for a route of that kind anywhere', () =>
    refused('admin-refuses-api-key', 403, () => send('GET', '/settings', [API_KEY])))
})

describe('I5 headers_stripped', () => {
  const forged: string[] = [
    'X-Planegate-Assertion: forged',
    'x_planegate_assertion: forged',
    'X.Planegate.Assertion: forged',
    'X-PLANEGATE-ANYTHING: forged',
    'X-Identity-Subject: forged',
    'X_Identity_Subject: forged',
    'X-Auth-Request-User: forged',
    'X-User-Id: forged',
    'X-User.Name: forged',
    'Remote-User: forged',
    'REMOTE_USER: forged',
    'X-Remote-User: forged',
    'X-Forwarded-User: forged',
    'X-Forwarded-Email: forged',
    'X_Forwarded_Groups: forged',
    'X-Forwarded-Client-Cert: forged',
    'X-SSL-Client-DN: forged',
    'Txn-Token: forged',
    'txn_token: forged',
    'X-Original-URL: /forged',
    'X-Rewrite-URL: /forged',
    'X-HTTP-Method-Override: FORGED',
    'X-Forwarded-For: forged',
    'X-Forwarded-Host: forged',
    'Forwarded: for=forged',
    'Proxy-Authorization: Basic Zm9yZ2Vk',
    'Cookie: session=forged',
    'Keep-Alive: forged',
    'Proxy-Connection: forged',
    'TE: forged',
    'X-Copy: Bearer {J}',
    'X-Copy: prefix{J}suffix',
  ]
  const ways: [name: string, ask: (headers: readonly string[]) => Promise<RawAnswer>, vouched: boolean][] = [
    ['with a token', (headers) => send('GET', '/both/x', [BEARER, ...headers]), true],
    ['with a key', (headers) => send('POST', '/both/x', [API_KEY, 'Content-Length: 0', ...headers]), true],
    ['on a PUBLIC route', (headers) => send('GET', '/public/x', headers), false],
    ['with HEAD', (headers) => send('HEAD', '/both/x', [BEARER, ...headers]), true],
    ['with OPTIONS', (headers) => send('OPTIONS', '/both/x', [BEARER, ...headers]), true],
    ['on an upgrade', (headers) => upgrade('/both/x', [BEARER, ...headers]), true],
    ['on a PUBLIC upgrade', (headers) => upgrade('/public/x', headers), false],
  ]
  for (const [name, ask, vouched] of ways) {
    test(`drops what the client wrote ${name}`, async () => {
      for (const header of forged) {
        const seenBefore = upstream.seen.length
        await ask([header, `Connection: x-planegate-assertion, x-forwarded-for`])
        const [seen] = upstream.seen.slice(seenBefore)
        assert.ok(seen, header)
        const all = JSON.stringify(seen)
        assert.doesNotMatch(all, /forged|Zm9yZ2Vk/i, header)
        for (const secret of [human, machine, key])
          assert.ok(!all.includes(secret), `a credential reached the upstream with ${header}`)
        const assertions = seen.rawHeaders.filter((one) => one.toLowerCase().replace(/[_.]/g, '-') === 'x-planegate-assertion')
        assert.equal(assertions.length, vouched ? 1 : 0, header)
        assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1', header)
      }
    })
  }
  test('drops credentials from the query, in every spelling, where nothing else is presented', async () => {
    for (const parameter of [
      'access_token={J}',
      'ACCESS%5FTOKEN={J}',
      'api_key={K}',
      'x-api-key={K}',
      'q={K}',
      'access_token[]={J}',
      'access+token={J}',
    ]) {
      const seenBefore = upstream.seen.length
      const answer = await send('GET', `/public/x?a=1&${parameter}&b=2`, [])
      assert.equal(answer.status, 200, parameter)
      assert.equal(upstream.seen[seenBefore]?.url, '/public/x?a=1&b=2', parameter)
    }
  })
  test('drops credentials from trailers', async () => {
    const seenBefore = upstream.seen.length
    const head = fill(
      [
        'POST /both/x HTTP/1.1',
        'Host: a',
        BEARER,
        'Transfer-Encoding: chunked',
        'Trailer: Authorization, X-Planegate-Assertion',
        '',
        '',
      ].join('\r\n'),
    )
    const answer = await explained.send(
      `${head}2\r\nhi\r\n0\r\n${fill('Authorization: Bearer {M}\r\nX-Planegate-Assertion: forged\r\nX-API-Key: {K}')}\r\n\r\n`,
    )
    assert.equal(answer.status, 200)
    const [seen] = upstream.seen.slice(seenBefore)
    assert.equal(seen?.body, 'hi')
    assert.deepEqual(seen?.trailers, [])
  })
  test('is counted', async () => {
    const metrics = await (await fetch(`${gateway.admin}/metrics`)).text()
    for (const invariant of ['I1', 'I2', 'I3', 'I4', 'I5']) {
      const count = new RegExp(`planegate_invariant_violations_total\\{invariant="${invariant}"\\} (\\d+)`).exec(metrics)?.[1]
      assert.ok(Number(count) > 0, invariant)
    }
  })
})

test('explain agrees with the gateway on every request above, and shows no credential', async () => {
  assert.ok((await explained.agree([human, machine, key, key.slice(25)])) > 500)
})

test('every request left exactly one record', async () => {
  const ids = (await gateway.records()).map((record) => record.requestId)
  assert.equal(new Set(ids).size, ids.length)
})

test('no credential was ever seen by the upstream, and none is in the log or the audit', async () => {
  const written = JSON.stringify([upstream.seen, await gateway.records(), gateway.log])
  for (const secret of [human, machine, key, human.split('.')[2] ?? '', key.slice(25)]) assert.ok(!written.includes(secret))
})
