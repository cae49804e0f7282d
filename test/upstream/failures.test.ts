import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { FastifyBaseLogger } from 'fastify'
import { pino } from 'pino'
import { createListener } from '../../src/http/listener.ts'
import { isConnectFailure, refusalOf } from '../../src/upstream/failures.ts'
import { registerForwarding } from '../../src/upstream/proxy.ts'
import { pipelineFor } from '../support/requests.ts'
import { ask, closedPort, codeOf, HUMAN, listen, startGateway, startRawUpstream, startUpstream, until } from './fixture.ts'

function pem(name: string): string {
  return readFileSync(join(import.meta.dirname, 'tls', name), 'utf8')
}

async function startTls(t: TestContext, name: 'loopback' | 'elsewhere'): Promise<string> {
  const server = https.createServer({ key: pem(`${name}.key.pem`), cert: pem(`${name}.cert.pem`) }, (_request, response) =>
    response.end('ok'),
  )
  return `https://127.0.0.1:${await listen(t, server)}`
}

const CODES: readonly [error: string, connected: boolean, code: string, reason: string][] = [
  ['ECONNREFUSED', false, 'upstream-unreachable', 'connection-refused'],
  ['ENOTFOUND', false, 'upstream-unreachable', 'name-unresolved'],
  ['EAI_AGAIN', false, 'upstream-unreachable', 'name-unresolved'],
  ['EHOSTUNREACH', false, 'upstream-unreachable', 'connect-failed'],
  ['UND_ERR_CONNECT_TIMEOUT', false, 'upstream-unreachable', 'connect-timeout'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', false, 'upstream-unreachable', 'tls-untrusted'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', false, 'upstream-unreachable', 'tls-untrusted'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', false, 'upstream-unreachable', 'tls-untrusted'],
  ['CERT_HAS_EXPIRED', false, 'upstream-unreachable', 'tls-untrusted'],
  ['EMFILE', false, 'overloaded', 'out-of-descriptors'],
  ['UND_ERR_DESTROYED', false, 'overloaded', 'gateway-stopping'],
  ['UND_ERR_INVALID_ARG', false, 'internal', 'request-unsendable'],
  ['UND_ERR_SOCKET', true, 'upstream-invalid', 'connection-closed'],
  ['ECONNRESET', true, 'upstream-invalid', 'connection-reset'],
  ['HPE_INVALID_CONSTANT', true, 'upstream-invalid', 'response-unparsable'],
  ['ERR_ASSERTION', true, 'upstream-invalid', 'response-unparsable'],
  ['ETIMEDOUT', true, 'upstream-timeout', 'connection-timed-out'],
]

for (const [error, connected, code, reason] of CODES) {
  test(`${error} ${connected ? 'after' : 'before'} the connection stood is ${code}`, () => {
    const refusal = refusalOf(Object.assign(new Error('text is not looked at'), { code: error }), connected)
    assert.equal(refusal.code, code)
    assert.equal(refusal.reason, reason)
  })
}

test("a parser's error does not carry the bytes that it stumbled over", () => {
  const error = Object.assign(new Error('bad'), { code: 'HPE_INVALID_CONSTANT', data: 'set-cookie: secret' })
  assert.equal(refusalOf(error, true).details.cause, 'HPE_INVALID_CONSTANT')
  assert.equal(isConnectFailure({ code: 'UND_ERR_INVALID_ARG' }), false)
  assert.equal(isConnectFailure(null), true)
})

const FAILURES: readonly [name: string, status: number, code: string, target: (t: TestContext) => Promise<string>][] = [
  ['nobody listens', 502, 'upstream-unreachable', async () => `http://127.0.0.1:${await closedPort()}`],
  ['a certificate that nobody vouches for', 502, 'upstream-unreachable', (t) => startTls(t, 'loopback')],
  [
    'TLS towards a server without',
    502,
    'upstream-unreachable',
    async (t) => (await startRawUpstream(t, (socket) => socket.end('no'))).replace('http:', 'https:'),
  ],
  [
    'a TLS handshake that never ends',
    502,
    'upstream-unreachable',
    async (t) => (await startRawUpstream(t, () => {})).replace('http:', 'https:'),
  ],
  ['silence', 504, 'upstream-timeout', (t) => startRawUpstream(t, () => {})],
  [
    'a head that does not end',
    504,
    'upstream-timeout',
    (t) => startRawUpstream(t, (socket) => socket.write('HTTP/1.1 200 OK\r\nx-a: b\r\n')),
  ],
  ['a connection closed without an answer', 502, 'upstream-invalid', (t) => startRawUpstream(t, (socket) => socket.end())],
  ['a connection reset', 502, 'upstream-invalid', (t) => startRawUpstream(t, (socket) => socket.resetAndDestroy())],
]

for (const [name, status, code, open] of FAILURES) {
  test(`${name} is ${status} ${code}`, async (t) => {
    const gateway = await startGateway(t, { targets: [await open(t)], timeouts: { connect: 200, headers: 200 } })
    const answer = await ask(gateway, '/', { method: 'POST', headers: { ...HUMAN, 'content-length': 4 }, body: 'body' })
    assert.equal(answer.status, status)
    assert.equal(codeOf(answer), code)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.deepEqual(
      gateway.written.records.map((record) => [record.status, record.code]),
      [[status, code]],
    )
  })
}

test('an upstream is trusted through a given authority, under its own name only', async (t) => {
  const good = await startGateway(t, { targets: [await startTls(t, 'loopback')], forwarding: { ca: pem('loopback.cert.pem') } })
  assert.equal((await ask(good, '/')).body, 'ok')
  const bad = await startGateway(t, { targets: [await startTls(t, 'elsewhere')], forwarding: { ca: pem('elsewhere.cert.pem') } })
  const answer = await ask(bad, '/')
  assert.equal(codeOf(answer), 'upstream-unreachable')
  assert.equal(bad.refusals[0]?.reason, 'tls-untrusted')
})

test('targets take turns, and one that cannot be reached is passed over', async (t) => {
  const answers: string[] = []
  const one = await startUpstream(t, (_request, response) => response.end('one'))
  const two = await startUpstream(t, (_request, response) => response.end('two'))
  const nowhere = `http://127.0.0.1:${await closedPort()}`
  const gateway = await startGateway(t, { targets: [one.origin, nowhere, two.origin] })
  for (let round = 0; round < 6; round += 1)
    answers.push((await ask(gateway, '/', { method: 'POST', headers: { ...HUMAN, 'content-length': 4 }, body: 'body' })).body)
  assert.deepEqual(answers, ['one', 'two', 'one', 'two', 'one', 'two'])
  assert.deepEqual(gateway.refusals, [])
})

test('a request that may have been seen is not sent to another target', async (t) => {
  let seen = 0
  const broken = () =>
    startRawUpstream(t, (socket) => {
      seen += 1
      socket.resetAndDestroy()
    })
  const gateway = await startGateway(t, { targets: [await broken(), await broken()] })
  assert.equal((await ask(gateway, '/')).status, 502)
  assert.equal(seen, 1)
})

test('more than may wait is refused as overloaded, and waiting ends in time', async (t) => {
  const release: (() => void)[] = []
  const upstream = await startUpstream(t, (_request, response) => release.push(() => response.end('ok')))
  const gateway = await startGateway(t, {
    targets: [upstream.origin],
    timeouts: { headers: 400 },
    connections: 1,
    forwarding: { waiting: 1 },
  })
  const first = ask(gateway, '/')
  await until(() => release.length === 1, 'the first request arrived')
  const second = ask(gateway, '/')
  await until(() => gateway.listener.server.listening, 'the listener is there')
  const third = await ask(gateway, '/')
  assert.equal(third.status, 503)
  assert.equal(codeOf(third), 'overloaded')
  const [one, two] = await Promise.all([first, second])
  assert.equal(codeOf(one), 'upstream-timeout')
  assert.equal(codeOf(two), 'overloaded')
  assert.deepEqual(gateway.refusals.map((refusal) => refusal.reason).sort(), [
    'headers-timeout',
    'no-connection-in-time',
    'upstream-connections-exhausted',
  ])
})

test('a client that is slow to send does not make the upstream late', async (t) => {
  const upstream = await startUpstream(t, (request, response) => {
    request.resume()
    request.on('end', () => response.end('ok'))
  })
  const gateway = await startGateway(t, { targets: [upstream.origin], timeouts: { headers: 100 } })
  const request = http.request({
    host: '127.0.0.1',
    port: gateway.port,
    method: 'POST',
    headers: { ...HUMAN, 'content-length': 8 },
    agent: false,
  })
  request.write('half')
  const started = performance.now()
  await until(() => performance.now() - started > 500, 'five times the limit has passed')
  request.end('half')
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.resume()
  assert.equal(response.statusCode, 200)
})

test('an upstream that does not read is late', async (t) => {
  const server = net.createServer((socket) => socket.on('error', () => {}).pause())
  const gateway = await startGateway(t, { targets: [`http://127.0.0.1:${await listen(t, server)}`], timeouts: { headers: 200 } })
  const request = http.request({
    host: '127.0.0.1',
    port: gateway.port,
    method: 'POST',
    headers: { ...HUMAN, 'content-length': 50_000_000 },
    agent: false,
  })
  request.on('error', () => {})
  let status = 0
  request.on('response', (response) => {
    status = response.statusCode ?? 0
    response.resume()
  })
  request.end(Buffer.alloc(50_000_000))
  await until(() => status !== 0, 'the client was answered')
  assert.equal(status, 504)
  assert.equal(gateway.refusals[0]?.code, 'upstream-timeout')
  await new Promise((resolve) => request.once('close', resolve))
})

test('without a gate nothing is forwarded', async (t) => {
  let requests = 0
  const upstream = await startUpstream(t, () => {
    requests += 1
  })
  const { pipeline } = pipelineFor([])
  const fastify = createListener({ requestTimeout: 1_000, logger: pino({ level: 'silent' }) as unknown as FastifyBaseLogger })
  registerForwarding(fastify, {
    ...pipeline,
    headerRules: pipeline,
    streams: { standing: () => null, ...pipeline },
    identityHeader: 'X-Planegate-Assertion',
    upstreams: [
      {
        name: 'things',
        targets: [upstream.origin],
        audience: 'things',
        timeouts: { connect: 1_000, headers: 1_000, idle: 1_000 },
        connections: 1,
      },
    ],
  })
  await fastify.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => fastify.close())
  const { port } = fastify.server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/things/1`)
  assert.equal(response.status, 500)
  assert.equal(requests, 0)
})
