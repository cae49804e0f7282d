import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DecisionRecord } from '../../src/domain/decision-record.ts'
import { adjudicate } from '../../src/pipeline/adjudicate.ts'
import { Refusal } from '../../src/problem/refusal.ts'
import { allowance, inbound, limit, pipelineFor, route } from '../support/requests.ts'

const JWT = ['Authorization', 'Bearer human']
const KEY = ['X-API-Key', 'key']

test('an allowed request leaves exactly one record, when its status is known', async () => {
  const { pipeline, written } = pipelineFor([route()])
  const adjudication = await adjudicate(inbound({ headers: JWT }), pipeline, assert.fail)
  assert.equal(written.records.length, 0)
  adjudication.answered(200)
  adjudication.answered(500)
  adjudication.refuse(new Error('late'))
  adjudication.abandoned()
  const expected: DecisionRecord = {
    time: '1970-01-01T00:25:00.000Z',
    requestId: 'request-1',
    decision: 'allow',
    code: null,
    reason: null,
    route: 'things',
    plane: 'BOTH',
    actor: 'human',
    issuer: 'https://issuer.example',
    subject: 'user-1',
    scopes: ['things:read'],
    roles: ['viewer'],
    credential: { kind: 'jwt', id: 'digest-1' },
    session: 'session-digest-1',
    method: 'GET',
    host: 'api.example.com',
    path: '/things/1',
    clientIp: '192.0.2.7',
    userAgent: 'test',
    status: 200,
    durationMs: 5,
    upstream: 'things',
  }
  assert.deepEqual(written.records, [expected])
})

test('a refusal is recorded with what was known where it happened', async () => {
  const { pipeline, written } = pipelineFor([route({ plane: 'MACHINE_ONLY' })])
  const observed: string[] = []
  const adjudication = await adjudicate(inbound({ headers: JWT }), pipeline, (refusal) => observed.push(refusal.message))
  assert.equal(adjudication.granted, null)
  const answer = adjudication.refuse()
  assert.equal(answer.status, 403)
  const [record] = written.records
  assert.deepEqual(
    [record?.decision, record?.code, record?.reason, record?.route, record?.credential],
    ['deny', 'plane-mismatch', 'human-on-machine-route', 'things', { kind: 'jwt', id: 'digest-1' }],
  )
  // Its token was genuine: the record says whose it is.
  assert.deepEqual(
    [record?.actor, record?.subject, record?.scopes, record?.roles, record?.session],
    ['human', 'user-1', ['things:read'], ['viewer'], 'session-digest-1'],
  )
  assert.deepEqual(written.violations, ['I2'])
  assert.deepEqual(observed, ['plane-mismatch: human-on-machine-route'])
})

test('a refused credential is recorded by what may be written down of it', async () => {
  const { pipeline, written } = pipelineFor([route()])
  const adjudication = await adjudicate(inbound({ headers: ['Authorization', 'Bearer secret-text'] }), pipeline, () => {})
  const answer = adjudication.refuse()
  assert.deepEqual(written.records[0]?.credential, { kind: 'jwt', id: 'd' })
  assert.doesNotMatch(JSON.stringify([written, answer]), /secret-text/)
})

const challenges: [
  name: string,
  request: Parameters<typeof inbound>[0],
  routes: Parameters<typeof route>[0],
  challenge: string[],
][] = [
  ['nothing on a BOTH route', {}, {}, ['Bearer', 'ApiKey header="X-API-Key"']],
  ['nothing on a human route', {}, { plane: 'HUMAN_ONLY' }, ['Bearer']],
  ['nothing on a machine route', {}, { plane: 'MACHINE_ONLY' }, ['Bearer', 'ApiKey header="X-API-Key"']],
  ['nothing on a worker route', {}, { plane: 'BOTH', kind: 'worker' }, ['ApiKey header="X-API-Key"']],
  ['nothing on an admin route', {}, { plane: 'BOTH', kind: 'admin' }, ['Bearer']],
  ['a forged token', { headers: ['Authorization', 'Bearer forged'] }, { plane: 'HUMAN_ONLY' }, ['Bearer error="invalid_token"']],
]
for (const [name, request, overrides, challenge] of challenges) {
  test(`challenges ${name} with ${challenge.join(' and ')}`, async () => {
    const { pipeline } = pipelineFor([route(overrides)])
    const answer = (await adjudicate(inbound(request), pipeline, () => {})).refuse()
    assert.equal(answer.status, 401)
    assert.deepEqual(answer.headers['www-authenticate'], challenge)
  })
}

test('a scope that is missing is named in the challenge', async () => {
  const require = { scopes: ['a', 'b'], anyScope: [], roles: [], permissions: [], actors: [], claims: {} }
  const { pipeline } = pipelineFor([route({ require })])
  const answer = (await adjudicate(inbound({ headers: KEY }), pipeline, () => {})).refuse()
  assert.deepEqual(answer.headers['www-authenticate'], ['Bearer error="insufficient_scope", scope="a b"'])
})

test('a limit that ran out is counted by its name and says when to come back', async () => {
  const out = allowance({
    limit: limit({ name: 'per-address' }),
    admitted: false,
    remaining: 0,
    retryAfterMs: 1_200,
    resetMs: 9_000,
  })
  const { pipeline, written } = pipelineFor([route()], { addressLimiter: { take: () => out } })
  const answer = (await adjudicate(inbound(), pipeline, () => {})).refuse()
  assert.deepEqual(written.limited, ['per-address'])
  assert.deepEqual(
    [answer.status, answer.headers['retry-after'], answer.headers.ratelimit, answer.headers['ratelimit-policy']],
    [429, '2', '"per-address";r=0;t=2', '"per-address";q=60;w=60'],
  )
})

test('what nobody foresaw is a refusal', async () => {
  const failing = () => {
    throw new TypeError('secret inside')
  }
  const { pipeline, written } = pipelineFor([route()], { assertions: { issue: failing } })
  const causes: unknown[] = []
  const answer = (await adjudicate(inbound({ headers: JWT }), pipeline, (refusal) => causes.push(refusal.cause))).refuse()
  assert.equal(answer.status, 500)
  assert.doesNotMatch(answer.body, /secret/)
  assert.equal(written.records[0]?.code, 'internal')
  assert.ok(causes[0] instanceof TypeError)
})

test('a request that could not be recorded is not served', async () => {
  const { pipeline } = pipelineFor([route()], {
    auditLog: { available: () => false, append: () => {}, appendStreamClosed: () => {}, appendChange: async () => {} },
  })
  const adjudication = await adjudicate(inbound({ headers: JWT }), pipeline, () => {})
  assert.equal(adjudication.granted, null)
  assert.equal(adjudication.refuse().status, 503)
})

test('a failure after the grant is recorded as a refusal; after the head it only reaches the log', async () => {
  const { pipeline, written } = pipelineFor([route()])
  const observed: string[] = []
  const adjudication = await adjudicate(inbound({ headers: JWT }), pipeline, (refusal) => observed.push(refusal.code))
  assert.equal(adjudication.refuse(new Refusal('upstream-timeout', 'headers-timeout')).status, 504)
  assert.equal(adjudication.concluded, true)
  adjudication.brokenOff(new Refusal('upstream-invalid', 'connection-reset'))
  assert.deepEqual([written.records.length, written.records[0]?.decision, written.records[0]?.status], [1, 'deny', 504])
  assert.deepEqual(observed, ['upstream-timeout', 'upstream-invalid'])
})

test('a client that hangs up is recorded as such', async () => {
  const { pipeline, written } = pipelineFor([route()])
  ;(await adjudicate(inbound({ headers: JWT, userAgent: null }), pipeline, assert.fail)).abandoned()
  assert.deepEqual(
    [written.records[0]?.status, written.records[0]?.reason, written.records[0]?.userAgent],
    [499, 'client-disconnected', null],
  )
})

test('before a route is known nothing is challenged', async () => {
  const { pipeline, written } = pipelineFor([])
  const answer = (await adjudicate(inbound({ target: '/nowhere' }), pipeline, () => {})).refuse()
  assert.deepEqual(
    [answer.status, answer.headers['www-authenticate'], written.records[0]?.route, written.records[0]?.upstream],
    [404, undefined, null, null],
  )
})
