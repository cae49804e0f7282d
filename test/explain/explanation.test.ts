import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Explainer, openExplainer } from '../../src/composition/explainer.ts'
import { loadGateway } from '../../src/config/load.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { nearestRoutes } from '../../src/explain/nearest-routes.ts'
import { trace } from '../../src/explain/trace.ts'
import { STAGES } from '../../src/pipeline/proof.ts'
import { BASICS, gatewayFolder } from '../support/gateway.ts'
import { inbound, pipelineFor, route } from '../support/requests.ts'
import { type Presentable, presentable } from './credentials.ts'

const CONFIG = `${BASICS}
invariants: { workerPaths: [/workers/*], adminPaths: [/admin/*] }
limits:
  - { name: per-address, key: ip, rate: 600/min, burst: 100 }
  - { name: per-subject, key: subject, rate: 20/h, burst: 5 }
upstreams: { things: { targets: ['http://127.0.0.1:9'] } }
`
const ROUTES = `
plane: HUMAN_ONLY
upstream: things
routes:
  - id: things
    path: /api/v1/things/*
    stripPrefix: /api
    limits: [per-subject]
    require: { scopes: [things:read] }
  - id: jobs
    plane: BOTH
    path: /workers/jobs
    require: any
  - id: settings
    plane: BOTH
    kind: admin
    path: /settings
    require: any
  - id: bygone
    path: /bygone
    require: any
    expires: 2020-01-31
  - id: page
    path: /page
    require: any
    cors: { origins: ['https://app.example'] }
`

let explainer: Explainer
let folder: string
let file: string
let have: Presentable

before(async () => {
  ;({ folder, file } = gatewayFolder(CONFIG, { things: ROUTES }))
  have = await presentable(file)
  const loaded = loadGateway(file, { now: 0 })
  assert.ok(loaded.ok)
  explainer = await openExplainer(loaded.gateway)
})

after(async () => {
  await explainer?.close()
  rmSync(folder, { recursive: true, force: true })
})

function ask(first: string, ...headers: string[]): Promise<Explanation> {
  return explainer.explain(Buffer.from([`${first} HTTP/1.1`, 'Host: a', ...headers, '', ''].join('\r\n')), '192.0.2.7')
}

const bearer = (claims: Record<string, unknown> = {}, options = {}) =>
  `Authorization: Bearer ${have.issuer.sign({ sub: 'alice', plane: 'human', ...claims }, options)}`

describe('the stages', () => {
  test('are those of decide.ts, in its order: one that is added there must be added to the list, and so to the words', async () => {
    const text = readFileSync(join(import.meta.dirname, '../../src/pipeline/decide.ts'), 'utf8')
    assert.deepEqual(
      [...text.matchAll(/\bsaw\((?:await )?(\w+)\(/g)].map(([, name]) => name),
      [...STAGES],
    )
    const { pipeline } = pipelineFor([route()])
    const { proofs } = await trace(inbound({ headers: ['Authorization', 'Bearer human'] }), pipeline)
    assert.deepEqual(
      proofs.map(({ givenBy }) => givenBy),
      [...STAGES],
    )
  })

  test('all pass where the request is allowed, and say what they saw', async () => {
    const { steps, decision, rule, status, row } = await ask('GET /api/v1/things/7?a=b', bearer({ scope: 'things:read x' }))
    assert.equal(decision, 'allow')
    assert.equal(status, null)
    assert.match(rule ?? '', /things\.yaml:5$/)
    assert.deepEqual(
      steps.map(({ stage }) => stage),
      [...STAGES, 'forward'],
    )
    const says = Object.fromEntries(steps.map(({ stage, input, says: said }) => [stage, `${input} | ${said}`]))
    assert.match(
      says.takeAddressAllowance ?? '',
      /the address 192\.0\.2\.7 \| per-address: not counted here \(600\/min, burst 100\)/,
    )
    assert.match(says.takeAllowances ?? '', /per-subject: not counted here \(20\/h, burst 5\)/)
    assert.match(
      says.verify ?? '',
      /of http:\/\/127\.0\.0\.1:8080\/development, audience .* human alice .* scopes things:read, x; .*\(in 1 h\)/,
    )
    assert.match(says.checkRevocation ?? '', /not revoked, by the database .*planegate\.db \(2 revocations in force\)/)
    assert.match(says.authorize ?? '', /has all that is asked for: scopes things:read: held/)
    assert.match(says.forward ?? '', /goes as GET \/v1\/things\/7 to things/)
    assert.deepEqual(row, {
      human: 'allow',
      machineJwt: 'plane-mismatch',
      apiKey: 'plane-mismatch',
      nobody: 'credential-missing',
    })
  })
})

describe('the rule that decided is named by its line', () => {
  const cases: [name: string, code: string, line: RegExp, request: () => Promise<Explanation>][] = [
    ['a missing scope', 'scope-insufficient', /require: \{ scopes/, () => ask('GET /api/v1/things/7', bearer())],
    ['nothing presented', 'credential-missing', /^plane: HUMAN_ONLY/, () => ask('GET /api/v1/things/7')],
    [
      'a key on a human route',
      'plane-mismatch',
      /^plane: HUMAN_ONLY/,
      () => ask('GET /api/v1/things/7', `X-API-Key: ${have.key}`),
    ],
    ['a machine there', 'plane-mismatch', /^plane: HUMAN_ONLY/, () => ask('GET /api/v1/things/7', bearer({ plane: 'machine' }))],
    ['a worker path', 'worker-refuses-jwt', /workerPaths: \[/, () => ask('GET /workers/jobs', bearer())],
    ['an admin route', 'admin-refuses-api-key', /kind: admin/, () => ask('GET /settings', `X-API-Key: ${have.key}`)],
    ['an expired rule', 'route-unknown', /expires: 2020-01-31/, () => ask('GET /bygone', bearer())],
    ['another method', 'method-not-allowed', /- id: jobs/, () => ask('DELETE /workers/jobs', bearer())],
    [
      'another origin',
      'policy-denied',
      /cors: \{/,
      () => ask('OPTIONS /page', 'Origin: https://x.example', 'Access-Control-Request-Method: GET'),
    ],
    ['a long body', 'body-too-large', /^server: /, () => ask('GET /page', 'Content-Length: 99999999')],
  ]
  for (const [name, code, line, request] of cases) {
    test(name, async () => {
      const explanation = await request()
      assert.equal(explanation.code, code)
      const [, path = '', number] = /^(.*):(\d+)$/.exec(explanation.rule ?? '') ?? []
      assert.match(readFileSync(path, 'utf8').split('\n')[Number(number) - 1] ?? '', line, String(explanation.rule))
      assert.equal(explanation.steps.find(({ verdict }) => verdict === 'refused')?.rule, explanation.rule)
    })
  }

  test('an invariant by its name', async () => {
    assert.equal((await ask('GET /page', bearer(), `X-API-Key: ${have.key}`)).rule, 'I1 no_mixed_auth')
  })
})

describe('what was meant', () => {
  test('a path without a route: the nearest ones', async () => {
    const { steps } = await ask('GET /api/v1/thing/7')
    assert.match(
      steps[2]?.says ?? '',
      /no route is declared for it; the nearest: things: GET,HEAD \/api\/v1\/things\/\* \(.*things\.yaml:5\)/,
    )
  })

  const near: [path: string, expected: string[]][] = [
    ['/v1/things/7', ['things']],
    ['/api/v2/things/7/x', ['things']],
    ['/API/v1/things/7', ['things']],
    ['/users/8/posts', ['posts', 'user']],
    ['/user/8', ['user']],
    ['/nothing/of/the/kind', []],
    ['/', []],
  ]
  const routes = [
    route({ id: 'things', path: '/api/v1/things/*' }),
    route({ id: 'user', path: '/users/:id' }),
    route({ id: 'posts', path: '/users/:id/posts' }),
  ]
  for (const [path, expected] of near) {
    test(`near ${path}: ${expected.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(
        nearestRoutes(path, routes).map(({ id }) => id),
        expected,
      )
    })
  }

  test('only the first request is explained, and that there are more is said', async () => {
    const { path, notes } = await ask('GET /page', 'X: y', '', 'GET /settings HTTP/1.1', 'Host: a')
    assert.equal(path, '/page')
    assert.match(notes.join(), /More bytes follow the first request/)
  })

  test('a token that is refused: what it says of itself beside what its provider takes', async () => {
    const { steps, reason } = await ask('GET /page', bearer({}, { audience: 'https://other.example' }))
    const verify = steps.find(({ stage }) => stage === 'verify')
    assert.equal(reason, 'audience-unknown')
    assert.match(
      verify?.input ?? '',
      /says of itself, unverified: alg EdDSA, kid \w+, typ at\+jwt, iss .*, aud https:\/\/other\.example, sub alice/,
    )
    assert.match(
      verify?.says ?? '',
      /the provider development takes alg EdDSA, typ at\+jwt, JWT, aud http:\/\/127\.0\.0\.1:8080, and needs sub/,
    )
  })
})

describe('what a client wrote', () => {
  test('steers no terminal', async () => {
    const { steps } = await ask('GET /page', bearer({ sub: 'al\u001b[31mice\u202e\u0085' }))
    const text = steps.map(({ input, says }) => `${input}${says}`).join('')
    assert.ok(text.includes('al\\u{1b}[31mice\\u{202e}\\u{85}'))
    assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
  })

  const places: [name: string, lines: (token: string, key: string) => string[]][] = [
    ['the path', (token) => [`GET /page/${token}`]],
    ['the path, escaped', (token) => [`GET /page/${token.replaceAll('.', '%2E').replaceAll('e', '%65')}`]],
    ['the path, escaped twice', (token) => [`GET /page//${token.replaceAll('.', '%252E')}`]],
    ['the query', (token, key) => [`GET /page?q=${token}&k=${key}`]],
    ['the host', (token) => [`GET http://${token}/page`]],
    ['the name of a header', (_token, key) => ['GET /page', `${key}: x`]],
    ['any header', (token, key) => ['GET /page', `X-A: ${token}`, `X-B: ${key}`, `Origin: ${token}`]],
    ['the request id', (token, key) => ['GET /page', `X-Request-Id: ${token}`, `X-Request-Id: ${key}`]],
    ['the bare header', (token) => ['GET /page', `Authorization: ${token}`]],
    ['another scheme', (token) => ['GET /page', `Authorization: ${token} Bearer`]],
    [
      'the wrong carriers',
      (token, key) => ['GET /page', `Authorization: Bearer ${key}`, `Cookie: ${token}`, `Proxy-Authorization: Bearer ${token}`],
    ],
    ['a token in a key', (token) => ['GET /workers/jobs', `X-API-Key: ${token}`]],
    ['the method', (token) => [`${token.slice(0, 40)} /page`]],
    ['a forwarded address', (token) => ['GET /page', `X-Forwarded-For: ${token}`]],
  ]
  for (const [name, lines] of places) {
    test(`shows no credential: ${name}`, async () => {
      const token = bearer().slice(22)
      const [first = '', ...headers] = lines(token, have.key)
      const text = JSON.stringify(await ask(first, ...headers))
      for (const secret of [token, token.split('.')[2] ?? '', have.key, have.key.slice(25), encodeURIComponent(token)])
        assert.ok(!text.includes(secret), text)
      assert.doesNotMatch(text, /eyJ[\w-]{8,}(?:\.|%2e|%252e)/i)
    })
  }
})
