import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import type { Ground } from '../../src/problem/reasons.ts'
import { asRefusal, Refusal } from '../../src/problem/refusal.ts'
import { REFUSALS, type RefusalCode, refusalKind } from '../../src/problem/refusals.ts'
import { rateLimitHeaders, renderRefusal, wireFormat } from '../../src/problem/render.ts'
import { allowance, limit } from '../support/requests.ts'

/** For what is told whatever the reason is: one that no table has. */
const unlisted = (code: RefusalCode) => ({ code, reason: 'inner-reason' }) as unknown as Ground
const NOBODY = { jwt: false, apiKeyHeader: null }
const STATUSES: Readonly<Record<RefusalCode, number>> = {
  'request-malformed': 400,
  'path-ambiguous': 400,
  'credential-ambiguous': 400,
  'credential-missing': 401,
  'credential-invalid': 401,
  'plane-mismatch': 403,
  'worker-refuses-jwt': 403,
  'admin-refuses-api-key': 403,
  'scope-insufficient': 403,
  'policy-denied': 403,
  'route-unknown': 404,
  'key-unknown': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'key-not-active': 409,
  'body-too-large': 413,
  'headers-too-large': 431,
  'rate-limited': 429,
  internal: 500,
  'keys-unavailable': 503,
  'revocation-unavailable': 503,
  'limiter-unavailable': 503,
  'store-unavailable': 503,
  'audit-unavailable': 503,
  'upstream-unreachable': 502,
  'upstream-invalid': 502,
  'upstream-timeout': 504,
  'upstream-open': 503,
  overloaded: 503,
}

for (const code of Object.keys(REFUSALS) as RefusalCode[]) {
  test(`${code} is answered ${STATUSES[code]} as a problem that tells nothing but its code`, () => {
    const { status, headers, body } = renderRefusal(
      Refusal.for(unlisted(code), { cause: new Error('inner cause') }),
      'r-1',
      NOBODY,
    )
    assert.equal(status, STATUSES[code])
    assert.equal(headers['content-type'], 'application/problem+json')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['content-length'], String(Buffer.byteLength(body)))
    const problem = JSON.parse(body) as Record<string, unknown>
    assert.deepEqual(Object.keys(problem).sort(), ['code', 'requestId', 'status', 'title', 'type'])
    assert.deepEqual([problem.code, problem.status, problem.requestId], [code, status, 'r-1'])
    assert.doesNotMatch(body, /inner/)
    if (status === 503) assert.match(String(headers['retry-after']), /^[1-9]\d*$/)
    if (refusalKind(code).close) assert.equal(headers.connection, 'close')
  })
}

test('what an administrator has to mend is listed, in the words of whoever refused', () => {
  const errors = [{ path: '/owner', message: 'must be an owner' }]
  const { body, headers } = renderRefusal(new Refusal('request-malformed', 'fields-invalid', { errors }), 'r-1', NOBODY)
  assert.equal(headers.connection, undefined)
  assert.deepEqual((JSON.parse(body) as { errors: unknown }).errors, errors)
})

test('a 405 names the methods there are', () => {
  assert.equal(
    renderRefusal(new Refusal('method-not-allowed', 'other-methods-only', { allow: ['GET', 'HEAD'] }), 'r', NOBODY).headers.allow,
    'GET, HEAD',
  )
})

test('a challenge for scopes is well formed without scopes too', () => {
  assert.deepEqual(renderRefusal(new Refusal('scope-insufficient', 'scopes'), 'r', NOBODY).headers['www-authenticate'], [
    'Bearer error="insufficient_scope", scope=""',
  ])
})

test('rate limit headers name every limit that was asked', () => {
  assert.deepEqual(rateLimitHeaders([]), {})
  const second = allowance({
    limit: limit({ name: 'b', count: 5, periodMs: 1_000 }),
    remaining: 0,
    retryAfterMs: 150,
    resetMs: 900,
  })
  assert.deepEqual(rateLimitHeaders([allowance(), second]), {
    'ratelimit-policy': '"per-address";q=60;w=60, "b";q=5;w=1',
    ratelimit: '"per-address";r=9;t=1, "b";r=0;t=1',
  })
})

test('a refusal is an error without a stack, and keeps its cause apart from what it says', () => {
  const refusal = new Refusal('internal', 'unexpected-error', { cause: new Error('inner') })
  assert.equal(refusal.message, 'internal: unexpected-error')
  assert.equal((refusal.cause as Error).message, 'inner')
  assert.doesNotMatch(refusal.stack ?? '', /\n\s+at /)
  assert.match(new Error('x').stack ?? '', /\n\s+at /)
  assert.equal(asRefusal(refusal), refusal)
  assert.equal(asRefusal('a string').code, 'internal')
  assert.match(inspect(asRefusal(new Error('e')).cause), /e/)
})

test('on a bare socket the same answer is written out, and the connection ends', () => {
  const rendered = renderRefusal(new Refusal('credential-missing', 'nothing-presented'), 'r', {
    jwt: true,
    apiKeyHeader: 'X-API-Key',
  })
  const [head = '', body] = wireFormat(rendered, 'Unauthorized').split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 401 Unauthorized\r\n/)
  assert.match(head, /\r\nwww-authenticate: Bearer\r\nwww-authenticate: ApiKey header="X-API-Key"\r\n/)
  assert.match(head, /\r\nconnection: close$/)
  assert.equal(body, rendered.body)
})
