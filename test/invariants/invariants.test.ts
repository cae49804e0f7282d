import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CredentialShape } from '../../src/domain/credential-shape.ts'
import { guardedPaths } from '../../src/domain/guarded-paths.ts'
import { headerClassifier } from '../../src/domain/header-class.ts'
import { noMixedAuth } from '../../src/invariants/i1-no-mixed-auth.ts'
import { planeMatchesKind, planeMatchesPrincipal } from '../../src/invariants/i2-plane-match.ts'
import { noWorkerJwt } from '../../src/invariants/i3-no-worker-jwt.ts'
import { adminNoApiKey } from '../../src/invariants/i4-admin-no-api-key.ts'
import { stripHeaders } from '../../src/invariants/i5-headers-stripped.ts'
import { placeOf } from '../../src/invariants/place.ts'
import type { Refusal } from '../../src/problem/refusal.ts'
import { principal, route } from '../support/requests.ts'

const classify = headerClassifier({ apiKeyHeader: 'X-API-Key', identityHeaders: ['X-Planegate-Assertion'] })
const shape = new CredentialShape(['https://issuer.example'])
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = (iss: string) => `${part({ alg: 'ES256' })}.${part({ iss, sub: 'a' })}.c2ln`
const refusedWith = (code: string) => (error: Refusal) => error.code === code

describe('I1 no_mixed_auth', () => {
  const J = ['Authorization', 'Bearer a.b.c']
  const K = ['X-API-Key', 'pgk_dev_x']
  const mixed: [name: string, headers: string[], queryCredentials: number][] = [
    ['a JWT and an API key', [...J, ...K], 0],
    ['an API key and a JWT', [...K, ...J], 0],
    ['two Authorization headers', [...J, ...J], 0],
    ['two API key headers', [...K, ...K], 0],
    ['Basic beside an API key', ['Authorization', 'Basic eDp5', ...K], 0],
    ['Digest beside an API key', ['Authorization', 'Digest a="b", c="d"', ...K], 0],
    ['an empty Authorization beside an API key', ['Authorization', '', ...K], 0],
    ['x_api_key beside a JWT', [...J, 'x_api_key', 'pgk_dev_x'], 0],
    ['X.API.Key beside a JWT', [...J, 'X.API.Key', 'anything'], 0],
    ['an empty API key header beside a JWT', [...J, 'X-API-Key', ''], 0],
    ['an API key in any other header', [...J, 'X-Custom', 'pgk_dev_x'], 0],
    ['an API key in a cookie header', [...J, 'Cookie', 'pgk_dev_x'], 0],
    ['an API key behind white space', [...J, 'X-Custom', ' pgk_dev_x'], 0],
    ['a JWT and one in the query', J, 1],
    ['an API key and one in the query', K, 1],
    ['two in the query', [], 2],
    ['two bearer tokens in one header', ['Authorization', 'Bearer a.b.c, Bearer d.e.f'], 0],
    ['a bearer token and an API key in one header', ['Authorization', 'Bearer a.b.c, pgk_dev_x'], 0],
    ['two API keys in one header', ['X-API-Key', 'pgk_dev_x, pgk_dev_y'], 0],
    ['a bearer token in Proxy-Authorization beside an API key', ['Proxy-Authorization', 'Bearer a.b.c', ...K], 0],
    ['an API key in Proxy-Authorization beside a JWT', ['Proxy-Authorization', 'pgk_dev_x', ...J], 0],
  ]
  for (const [name, headers, queryCredentials] of mixed) {
    test(`refuses ${name}`, () => {
      assert.throws(() => noMixedAuth(headers, classify, 'x-api-key', queryCredentials), refusedWith('credential-ambiguous'))
    })
  }

  const single: [
    name: string,
    headers: string[],
    queryCredentials: number,
    authorization: string | null,
    apiKey: string | null,
    count: number,
  ][] = [
    ['nothing', ['Accept', '*/*'], 0, null, null, 0],
    ['one JWT', J, 0, 'Bearer a.b.c', null, 1],
    ['one API key', K, 0, null, 'pgk_dev_x', 1],
    ['a name in capitals', ['AUTHORIZATION', 'Bearer a.b.c'], 0, 'Bearer a.b.c', null, 1],
    ['another spelling, which is counted and not read', ['x_api_key', 'pgk_dev_x'], 0, null, null, 1],
    ['the query, which is counted and not read', [], 1, null, null, 1],
    ['another header, which is counted and not read', ['X-Custom', 'pgk_dev_x'], 0, null, null, 1],
    ['Basic for another hop, which is not ours', [...K, 'Proxy-Authorization', 'Basic eDp5'], 0, null, 'pgk_dev_x', 1],
    ['a Digest with commas', ['Authorization', 'Digest a="b", c="d"'], 0, 'Digest a="b", c="d"', null, 1],
  ]
  for (const [name, headers, queryCredentials, authorization, apiKey, count] of single) {
    test(`reads ${name}`, () =>
      assert.deepEqual(noMixedAuth(headers, classify, 'x-api-key', queryCredentials), { authorization, apiKey, count }))
  }
})

describe('I2 plane_match', () => {
  test('an API key fits machine routes only, by its kind', () => {
    assert.throws(() => planeMatchesKind('HUMAN_ONLY', 'api-key'), refusedWith('plane-mismatch'))
    assert.equal(planeMatchesKind('MACHINE_ONLY', 'api-key'), 'api-key')
    assert.equal(planeMatchesKind('BOTH', 'api-key'), 'api-key')
    assert.equal(planeMatchesKind('HUMAN_ONLY', 'jwt'), 'jwt')
  })
  test('a principal fits a route of its plane', () => {
    const human = principal()
    const service = principal({ plane: 'MACHINE' })
    assert.throws(() => planeMatchesPrincipal('MACHINE_ONLY', human), refusedWith('plane-mismatch'))
    assert.throws(() => planeMatchesPrincipal('HUMAN_ONLY', service), refusedWith('plane-mismatch'))
    assert.throws(() => planeMatchesPrincipal('PUBLIC', human), refusedWith('plane-mismatch'))
    assert.equal(planeMatchesPrincipal('BOTH', service), service)
    assert.equal(planeMatchesPrincipal('HUMAN_ONLY', human), human)
  })
})

describe('I3 no_worker_jwt and I4 admin_no_api_key', () => {
  const declared = { worker: guardedPaths(['/workers/*']), admin: guardedPaths(['/admin/*']) }
  const places: [name: string, path: string, overrides: Parameters<typeof route>[0], worker: boolean, admin: boolean][] = [
    ['a worker path', '/workers/jobs', {}, true, false],
    ['the root of the worker paths', '/workers', {}, true, false],
    ['a worker path in capitals', '/WORKERS/jobs', {}, true, false],
    ['a path that becomes a worker path upstream', '/api/workers/jobs', { stripPrefix: '/api' }, true, false],
    ['a route of kind worker', '/x', { kind: 'worker' }, true, false],
    ['an admin path', '/admin/users', {}, false, true],
    ['an admin path in mixed case', '/aDmin', {}, false, true],
    ['a path that becomes an admin path upstream', '/v1/admin/x', { stripPrefix: '/v1' }, false, true],
    ['a route of kind admin', '/x', { kind: 'admin' }, false, true],
    ['an ordinary path', '/workersx', {}, false, false],
  ]
  for (const [name, path, overrides, worker, admin] of places) {
    test(`knows ${name}`, () => assert.deepEqual(placeOf(path, route(overrides), null, declared), { worker, admin }))
  }
  test('a worker place refuses every JWT and takes the rest', () => {
    const place = { worker: true, admin: false }
    assert.throws(() => noWorkerJwt(place, 'jwt'), refusedWith('worker-refuses-jwt'))
    assert.equal(noWorkerJwt(place, 'api-key'), 'api-key')
    assert.equal(noWorkerJwt(place, null), null)
    assert.equal(noWorkerJwt({ worker: false, admin: true }, 'jwt'), 'jwt')
  })
  test('an admin place refuses every API key and takes the rest', () => {
    const place = { worker: false, admin: true }
    assert.throws(() => adminNoApiKey(place, 'api-key'), refusedWith('admin-refuses-api-key'))
    assert.equal(adminNoApiKey(place, 'jwt'), 'jwt')
    assert.equal(adminNoApiKey({ worker: true, admin: false }, 'api-key'), 'api-key')
  })
})

describe('I5 headers_stripped', () => {
  const none = { shape, cookies: [], secret: null }
  const dropped: [name: string, headers: string[], identityHeaders: number][] = [
    ['Authorization', ['Authorization', 'Bearer a.b.c'], 0],
    ['Authorization spelled for CGI', ['AUTHORIZATION', 'x', 'authorization', 'y'], 0],
    ['API key headers', ['X-API-Key', 'k', 'x_api_key', 'k', 'X.Api.Key', 'k'], 0],
    ['Proxy-Authorization', ['Proxy-Authorization', 'Basic x'], 0],
    ['cookies', ['Cookie', 'a=1'], 0],
    ['an API key in any header', ['X-Custom', 'pgk_dev_x', 'X-Other', 'key: PGK_dev_x'], 0],
    [
      'a token of a trusted issuer in any header',
      ['X-Custom', token('https://issuer.example'), 'X-Other', `x${token('https://issuer.example')}x`],
      0,
    ],
    ['an escaped API key in a Referer', ['Referer', 'https://a/?k=pgk%5Fdev_x'], 0],
    [
      'identity headers under bare and rarer names',
      [
        'X-User',
        '1',
        'X-Auth',
        '1',
        'X-Identity',
        '1',
        'X-Webauth-User',
        '1',
        'Remote-Groups',
        '1',
        'Client-Cert',
        '1',
        'SSL_CLIENT_S_DN',
        '1',
      ],
      7,
    ],
    ['spellings with any mark', ['X~Planegate~Assertion', '1', 'X!Auth!User', '1', 'X*User*Id', '1'], 3],
    [
      'credential headers under other names',
      ['X-Authorization', 'Bearer x', 'Http-Authorization', 'x', 'Authorization_', 'x'],
      0,
    ],
    ['what turns into settings of a program', ['Proxy', 'http://evil'], 0],
    [
      'the assertion in every spelling',
      ['X-Planegate-Assertion', 'x', 'x_planegate_assertion', 'x', 'X.Planegate.Assertion', 'x'],
      3,
    ],
    [
      'identity headers',
      ['Remote-User', 'root', 'X-User-Id', '1', 'x_auth_request_user', 'x', 'X-SSL-Client-Cert', 'x', 'Txn-Token', 'x'],
      5,
    ],
    ['forwarding headers', ['X-Forwarded-For', '1', 'Forwarded', 'for=1', 'X_Forwarded_Host', 'x'], 0],
    ['routing headers', ['X-Original-URL', '/admin', 'X-HTTP-Method-Override', 'DELETE'], 0],
    [
      'hop-by-hop headers',
      ['Connection', 'close', 'Keep-Alive', 'x', 'TE', 'trailers', 'Trailer', 'x', 'Upgrade', 'h2c', 'Proxy-Connection', 'x'],
      0,
    ],
    ['framing', ['Content-Length', '5', 'Transfer-Encoding', 'chunked', 'Content_Length', '7'], 0],
    ['what Connection names', ['Connection', 'X-Private, close', 'X-Private', 'x'], 0],
  ]
  for (const [name, headers, identityHeaders] of dropped) {
    test(`drops ${name}`, () => assert.deepEqual(stripHeaders(headers, classify, none), { kept: [], identityHeaders }))
  }
  test('keeps the rest, in order and repeated', () => {
    const headers = ['Accept', 'a', 'X-Custom', '1', 'X-Custom', '2', 'Content-Type', 'text/plain']
    assert.deepEqual(stripHeaders(headers, classify, none).kept, headers)
  })
  test('keeps a token of somebody else, and finds out in time that grows with the length only', () => {
    const foreign = [
      'X-Custom',
      token('https://elsewhere.example'),
      'X-Broken',
      'eyJh.eyJ%%%.x',
      'X-Site',
      'https://keyboard.eyes.example/',
    ]
    assert.deepEqual(stripHeaders(foreign, classify, none).kept, foreign)
    const long = ['X-Long', 'eyJ'.repeat(200_000), 'X-Dots', '.eyJ'.repeat(200_000)]
    const began = performance.now()
    stripHeaders(long, classify, none)
    // A search that starts anew at each character would take minutes here.
    assert.ok(performance.now() - began < 5_000)
  })
  test('drops a header that repeats the presented credential', () => {
    const headers = ['X-Copy', 'token: secret-token-text', 'X-Short', 'secret']
    assert.deepEqual(stripHeaders(headers, classify, { shape, cookies: [], secret: 'secret-token-text' }).kept, [
      'X-Short',
      'secret',
    ])
    assert.deepEqual(stripHeaders(headers, classify, { shape, cookies: [], secret: '' }).kept, headers)
  })
  test('keeps the cookies that a route lists, unless they hold a credential', () => {
    const headers = ['Cookie', 'theme=dark; session=abc; lang="en"', 'Cookie', 'theme=pgk_x; lang=the-secret', 'cookie_', 'x=1']
    const { kept } = stripHeaders(headers, classify, { shape, cookies: ['theme', 'lang'], secret: 'the-secret' })
    assert.deepEqual(kept, ['cookie', 'theme=dark; lang="en"'])
    assert.deepEqual(stripHeaders(['Cookie', 'other=1'], classify, { shape, cookies: ['theme'], secret: null }).kept, [])
  })
  test('drops a listed cookie that some server would read as two', () => {
    const headers = [
      'Cookie',
      'theme=dark sid=secret',
      'Cookie',
      'theme=dark, sid=secret; theme="a b"',
      'Cookie',
      'theme',
      'Cookie',
      'theme="dark"',
    ]
    assert.deepEqual(stripHeaders(headers, classify, { shape, cookies: ['theme'], secret: null }).kept, [
      'cookie',
      'theme="dark"',
    ])
  })
  test('Connection cannot remove what the gateway sets, for its names are only dropped from the client', () => {
    const { kept } = stripHeaders(['Connection', 'x-planegate-assertion, ,"bad"', 'Accept', 'a'], classify, none)
    assert.deepEqual(kept, ['Accept', 'a'])
  })
})
