import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { addressKey } from '../../src/domain/address.ts'
import { guardedPaths } from '../../src/domain/guarded-paths.ts'
import { headerClassifier } from '../../src/domain/header-class.ts'
import { outboundPath } from '../../src/domain/outbound-path.ts'
import { planeAdmits } from '../../src/domain/plane.ts'
import { Secret } from '../../src/domain/secret.ts'

test('a secret shows itself only when asked', () => {
  const secret = new Secret('hunter2')
  assert.equal(secret.reveal(), 'hunter2')
  for (const shown of [
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ secret }),
    Object.values(secret).join(),
  ]) {
    assert.doesNotMatch(shown, /hunter2/)
  }
})

test('planes admit their own', () => {
  assert.deepEqual(
    (['HUMAN_ONLY', 'MACHINE_ONLY', 'BOTH', 'PUBLIC'] as const).map((plane) => [
      planeAdmits(plane, 'HUMAN'),
      planeAdmits(plane, 'MACHINE'),
    ]),
    [
      [true, false],
      [false, true],
      [true, true],
      [false, false],
    ],
  )
})

test('IPv6 addresses of one /64 are one key, IPv4 addresses their own', () => {
  assert.equal(addressKey('192.0.2.1'), '192.0.2.1')
  const same = [
    '2001:db8:0:1::',
    '2001:db8:0:1::1',
    '2001:0db8:0000:0001:ffff:ffff:ffff:ffff',
    '2001:DB8:0:1:a::b',
    '2001:db8:0:1::5%eth0',
  ]
  assert.equal(new Set(same.map(addressKey)).size, 1)
  assert.notEqual(addressKey('2001:db8:0:2::1'), addressKey('2001:db8:0:1::1'))
  assert.notEqual(addressKey('::1'), addressKey('1::1'))
})

const guarded: [pattern: string, path: string, covered: boolean][] = [
  ['/workers/*', '/workers', true],
  ['/workers/*', '/workers/', true],
  ['/workers/*', '/workers/jobs', true],
  ['/workers/*', '/Workers/JOBS', true],
  ['/Workers/*', '/workers/jobs', true],
  ['/workers/*', '/workersx', false],
  ['/workers/*', '/a/workers/b', false],
  ['/admin', '/admin', true],
  ['/admin', '/ADMIN/', true],
  ['/admin', '/admin/users', false],
  ['/*', '/anything', true],
  ['/workers/*', '/wor%E2%84%AAers/x', true],
  ['/workers/*', '/worker%C5%BF/x', true],
  ['/admin/*', '/adm%C4%B1n/x', true],
  ['/admin/*', '/%EF%BD%81dmin/x', true],
  ['/admin/*', '/admin%20/x', true],
  ['/admin/*', '/admin./x', true],
  ['/caf%C3%A9/*', '/CAF%C3%89/x', true],
  ['/caf%C3%A9/*', '/cafe%CC%81/x', true],
  ['/@ops/*', '/@OPS/x', true],
]
for (const [pattern, path, covered] of guarded) {
  test(`${pattern} ${covered ? 'covers' : 'does not cover'} ${path}`, () =>
    assert.equal(guardedPaths([pattern]).covers(path), covered))
}

test('a prefix is stripped on a segment boundary only', () => {
  assert.equal(outboundPath('/api/v1/x', '/api'), '/v1/x')
  assert.equal(outboundPath('/api/v1/x', '/api/'), '/v1/x')
  assert.equal(outboundPath('/api', '/api'), '/')
  assert.equal(outboundPath('/apiary/x', '/api'), '/apiary/x')
  assert.equal(outboundPath('/x', null), '/x')
})

test('headers are classed by what some server would read them as', () => {
  const classify = headerClassifier({ apiKeyHeader: 'X-Acme.Key', identityHeaders: ['X-Planegate-Assertion', 'X-Tenant-*'] })
  const expected: Record<string, string[]> = {
    credential: ['Authorization', 'AUTHORIZATION'],
    'api-key': ['X-Acme-Key', 'x_acme_key', 'X-API-Key', 'X_API_KEY', 'x.api.key'],
    identity: [
      'X-Planegate-Assertion',
      'x_planegate_assertion',
      'X-Identity-Subject',
      'X_User.Id',
      'Remote_User',
      'X-SSL-Client-DN',
      'X-Tenant-Id',
      'Txn-Token',
    ],
    forwarded: ['X-Forwarded-For', 'x_forwarded_proto', 'Forwarded', 'X-Real-IP'],
    routing: ['X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override'],
    hop: ['Keep-Alive', 'TE', 'Trailer', 'Upgrade', 'Proxy-Connection', 'HTTP2-Settings', 'Expect'],
    framing: ['Content-Length', 'Transfer_Encoding'],
    cookie: ['Cookie'],
    host: ['Host'],
    trace: ['X-Request-Id', 'traceparent'],
    plain: ['Accept', 'Content-Type', 'X-Custom', 'Authorizations', 'X-Username', 'X-Authority'],
  }
  for (const [kind, names] of Object.entries(expected)) for (const name of names) assert.equal(classify(name), kind, name)
})

test('a flood of names does not grow the classifier without bound, and it still answers', () => {
  const classify = headerClassifier({ apiKeyHeader: 'X-API-Key', identityHeaders: [] })
  for (let index = 0; index < 5_000; index += 1) assert.equal(classify(`x-flood-${index}`), 'plain')
  assert.equal(classify('X_aPi_KeY'), 'api-key')
})
