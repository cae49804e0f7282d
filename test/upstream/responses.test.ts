import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { test } from 'node:test'
import {
  ask,
  askRaw,
  codeOf,
  HUMAN,
  headerMap,
  MiB,
  settled,
  startGateway,
  startRawUpstream,
  startUpstream,
  take,
  until,
} from './fixture.ts'

test('a head is passed on without what belonged to the connection, and with what the gateway has to say', async (t) => {
  const upstream = await startUpstream(t, (_request, response) => {
    response.writeHead(201, [
      ['Keep-Alive', 'timeout=9'],
      ['Proxy-Authenticate', 'Basic'],
      ['Upgrade', 'h2c'],
      ['Connection', 'keep-alive, X-Named'],
      ['X-Named', 'dropped'],
      ['X-Request-Id', 'forged'],
      ['x_planegate_assertion', 'echoed'],
      ['Txn-Token', 'echoed'],
      ['WWW-Authenticate', 'Digest realm="x"'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-Kept', 'caf\xe9'],
      ['Vary', 'Accept'],
      ['Content-Length', '2'],
    ] as never)
    response.end(Buffer.from('ok'))
  })
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const answer = await ask(gateway, '/', { headers: { ...HUMAN, 'x-request-id': 'mine-1' } })
  const headers = headerMap(answer.rawHeaders)
  headers.delete('date')
  assert.equal(answer.status, 201)
  assert.deepEqual(Object.fromEntries(headers), {
    'www-authenticate': ['Digest realm="x"'],
    'set-cookie': ['a=1', 'b=2'],
    'x-kept': ['caf\xe9'],
    vary: ['Accept', 'Authorization'],
    'content-length': ['2'],
    'x-request-id': ['mine-1'],
    'ratelimit-policy': ['"per-address";q=60;w=60'],
    ratelimit: ['"per-address";r=9;t=1'],
    'cache-control': ['private'],
    connection: ['close'],
  })
  assert.equal(gateway.written.records[0]?.status, 201)
})

const CACHING: readonly [
  name: string,
  plane: 'BOTH' | 'PUBLIC',
  credential: object,
  sent: object,
  cacheControl: string | undefined,
  vary: string | undefined,
][] = [
  ['a token', 'BOTH', HUMAN, {}, 'private', 'Authorization'],
  ['an API key', 'BOTH', { 'x-api-key': 'key' }, {}, 'private', 'X-API-Key'],
  [
    'an upstream that decides for itself',
    'BOTH',
    HUMAN,
    { 'cache-control': 'public, max-age=5' },
    'public, max-age=5',
    'Authorization',
  ],
  ['a Vary that names it', 'BOTH', HUMAN, { vary: 'accept, AUTHORIZATION' }, 'private', 'accept, AUTHORIZATION'],
  ['a Vary of everything', 'BOTH', HUMAN, { vary: '*' }, 'private', '*'],
  ['a PUBLIC route', 'PUBLIC', {}, {}, undefined, undefined],
]

for (const [name, plane, credential, sent, cacheControl, vary] of CACHING) {
  test(`caches are told whose answer it is: ${name}`, async (t) => {
    const upstream = await startUpstream(t, (_request, response) =>
      response.writeHead(200, sent as http.OutgoingHttpHeaders).end('ok'),
    )
    const gateway = await startGateway(t, { targets: [upstream.origin], routes: [{ plane }] })
    const { status, headers } = await ask(gateway, '/', { headers: credential as http.OutgoingHttpHeaders })
    assert.equal(status, 200)
    assert.equal(headers['cache-control'], cacheControl)
    assert.equal(headers.vary, vary)
  })
}

test("an upstream's own 503 passes, once", async (t) => {
  let requests = 0
  const upstream = await startUpstream(t, (_request, response) => {
    requests += 1
    response.writeHead(503, { 'retry-after': '0' }).end('busy')
  })
  const gateway = await startGateway(t, { targets: [upstream.origin, upstream.origin] })
  const answer = await ask(gateway, '/')
  assert.equal(answer.status, 503)
  assert.equal(answer.body, 'busy')
  assert.equal(answer.headers['retry-after'], '0')
  assert.equal(requests, 1)
})

const BODILESS: readonly [method: string, status: number, length: string | undefined, passed: string | undefined][] = [
  ['HEAD', 200, '1234', '1234'],
  ['HEAD', 200, undefined, undefined],
  ['GET', 304, '1234', '1234'],
  ['GET', 204, undefined, undefined],
]

for (const [method, status, length, passed] of BODILESS) {
  test(`an answer without a body: ${method} ${status} ${length ?? 'without a length'}`, async (t) => {
    const upstream = await startUpstream(t, (_request, response) => {
      response.writeHead(status, length === undefined ? {} : { 'content-length': length })
      response.end()
    })
    const gateway = await startGateway(t, { targets: [upstream.origin] })
    const answer = await ask(gateway, '/', { method })
    assert.equal(answer.status, status)
    assert.equal(answer.headers['content-length'], passed)
    assert.equal(answer.body, '')
  })
}

test('trailers of a chunked answer are passed on, less what a head has settled', async (t) => {
  const upstream = await startUpstream(t, (_request, response) => {
    response.writeHead(200, { trailer: 'X-Checksum, Set-Cookie, X-Planegate-Assertion' })
    response.write('body')
    response.addTrailers({
      'X-Checksum': 'abc',
      'Set-Cookie': 'a=1',
      'X-Planegate-Assertion': 'echoed',
      'Content-Encoding': 'gzip',
    })
    response.end()
  })
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const answer = await ask(gateway, '/')
  assert.equal(answer.body, 'body')
  assert.equal(answer.headers.trailer, 'X-Checksum')
  assert.deepEqual({ ...answer.trailers }, { 'x-checksum': 'abc' })
})

test('informational answers end at the gateway', async (t) => {
  const origin = await startRawUpstream(t, (socket) => {
    socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
  })
  const gateway = await startGateway(t, { targets: [origin] })
  const answer = await ask(gateway, '/')
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.link, undefined)
})

test('events are delivered one by one, and silence does not end them', async (t) => {
  const upstream = await startUpstream(t, (request, response) => {
    response.writeHead(200, { 'content-type': 'Text/Event-Stream; charset=utf-8' })
    response.flushHeaders()
    next = (event) => response.write(`data: ${event}\n\n`)
    request.on('close', () => {
      closed = true
    })
  })
  let next = (_event: string): unknown => assert.fail('no stream')
  let closed = false
  const gateway = await startGateway(t, { targets: [upstream.origin], timeouts: { headers: 100, idle: 50 } })
  const request = http.get({ host: '127.0.0.1', port: gateway.port, headers: HUMAN, agent: false })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  let received = ''
  response.on('data', (chunk) => {
    received += chunk
  })
  response.on('error', () => {})
  next('one')
  await until(() => received === 'data: one\n\n', 'the first event came')
  const started = performance.now()
  await until(() => performance.now() - started > 400, 'eight times the idle limit has passed')
  next('two')
  await until(() => received === 'data: one\n\ndata: two\n\n', 'the second event came')
  response.destroy()
  await until(() => closed, 'the upstream learned that the client has left')
})

test('a body that stops coming is cut, and the cut can be seen', async (t) => {
  const upstream = await startUpstream(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 })
    response.write('half')
  })
  const gateway = await startGateway(t, { targets: [upstream.origin], timeouts: { idle: 100 } })
  await assert.rejects(ask(gateway, '/'), { code: 'ECONNRESET' })
  assert.deepEqual(
    gateway.refusals.map(({ code, reason }) => [code, reason]),
    [['upstream-timeout', 'body-idle']],
  )
})

const CUTS: readonly [name: string, answer: string][] = [
  ['with a length', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'],
  ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ['in chunks, one broken', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n'],
]

for (const [name, bytes] of CUTS) {
  test(`an answer that breaks off does not look whole: ${name}`, async (t) => {
    const origin = await startRawUpstream(t, (socket) => {
      socket.end(bytes)
    })
    const gateway = await startGateway(t, { targets: [origin] })
    await assert.rejects(ask(gateway, '/'), { code: 'ECONNRESET' })
    assert.equal(gateway.refusals[0]?.code, 'upstream-invalid')
    assert.equal(gateway.written.records.length, 1)
    assert.equal(gateway.written.records[0]?.status, 200)
  })
}

test('a client that can only see the end of the connection gets a reset for a cut', async (t) => {
  const origin = await startRawUpstream(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n')
    cut = () => socket.destroy()
  })
  let cut = () => {}
  const gateway = await startGateway(t, { targets: [origin] })
  const client = net.connect(gateway.port, '127.0.0.1')
  client.write('GET / HTTP/1.0\r\nHost: a\r\nAuthorization: Bearer human\r\n\r\n')
  let received = ''
  let error: NodeJS.ErrnoException | null = null
  client.on('data', (chunk) => {
    received += chunk
  })
  client.on('error', (caught) => {
    error = caught
  })
  await until(() => received.endsWith('half'), 'the first half came')
  cut()
  await new Promise((resolve) => client.once('close', resolve))
  assert.equal((error as NodeJS.ErrnoException | null)?.code, 'ECONNRESET')
})

test('100 MiB come down at the pace of the client', async (t) => {
  let sent = 0
  const chunk = Buffer.alloc(MiB, 'x')
  const upstream = await startUpstream(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 100 * MiB })
    const pump = () => {
      while (sent < 100 * MiB) {
        sent += MiB
        if (!response.write(chunk)) return void response.once('drain', pump)
      }
      response.end()
    }
    pump()
  })
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const request = http.get({ host: '127.0.0.1', port: gateway.port, headers: HUMAN, agent: false })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  await settled(() => sent, 'the download stopped with its reader')
  assert.ok(sent < 60 * MiB, `${sent} bytes were taken while the client read nothing`)
  let received = 0
  for await (const part of response) received += (part as Buffer).length
  assert.equal(received, 100 * MiB)
})

test('a head that comes long before its body is passed on at once, byte for byte', async (t) => {
  const origin = await startRawUpstream(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nx-kept: caf\xe9\r\ncontent-length: 2\r\n\r\n', 'latin1')
    finish = () => socket.write('ok')
  })
  let finish = (): unknown => assert.fail('no request')
  const gateway = await startGateway(t, { targets: [origin] })
  const request = http.get({ host: '127.0.0.1', port: gateway.port, headers: HUMAN, agent: false })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  assert.equal(response.headers['x-kept'], 'caf\xe9')
  finish()
  assert.equal((await take(response)).body, 'ok')
})

test('a client that leaves in the middle of an answer ends it at the upstream', async (t) => {
  let closed = false
  const upstream = await startUpstream(t, (request, response) => {
    response.write('first')
    request.on('close', () => {
      closed = true
    })
  })
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const request = http.get({ host: '127.0.0.1', port: gateway.port, headers: HUMAN, agent: false })
  request.on('error', () => {})
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.on('error', () => {})
  response.destroy()
  await until(() => closed, 'the upstream saw the connection close')
  assert.deepEqual(gateway.refusals, [])
})

test('connections to an upstream are used again', async (t) => {
  let connections = 0
  const upstream = await startUpstream(t, (_request, response) => response.end('ok'))
  upstream.server.on('connection', () => {
    connections += 1
  })
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  for (let round = 0; round < 5; round += 1) assert.equal((await ask(gateway, '/')).status, 200)
  assert.equal(connections, 1)
})

test('pipelined requests are answered in order', async (t) => {
  const upstream = await startUpstream(t, (request, response) => {
    setImmediate(() => response.end(`<${request.url}>`))
  })
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const head = 'HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer human\r\n'
  const answers = await askRaw(gateway, `GET /1 ${head}\r\nGET /2 ${head}\r\nGET /3 ${head}Connection: close\r\n\r\n`)
  assert.deepEqual(answers.match(/<[^>]*>/g), ['</1>', '</2>', '</3>'])
})

const INVALID: readonly [name: string, answer: string][] = [
  ['no HTTP at all', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 99 Low\r\ncontent-length: 0\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 1000 High\r\ncontent-length: 0\r\n\r\n'],
  ['a status that nobody knows', 'HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n'],
  ['a header name with a space', 'HTTP/1.1 200 OK\r\nbad name: x\r\ncontent-length: 0\r\n\r\n'],
  ['a header value with a control byte', 'HTTP/1.1 200 OK\r\nx-bad: a\x01b\r\ncontent-length: 0\r\n\r\n'],
  ['a header value with NUL', 'HTTP/1.1 200 OK\r\nx-bad: a\0b\r\ncontent-length: 0\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-length: 5\r\n\r\n'],
  ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n'],
  ['an upgrade that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
  ['a head without end', `HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(40_000)}`],
  ['half a head', 'HTTP/1.1 200 OK\r\ncontent-le'],
]

for (const [name, bytes] of INVALID) {
  test(`an invalid answer is a 502, not a crash: ${name}`, async (t) => {
    const origin = await startRawUpstream(t, (socket) => {
      socket.end(bytes, 'latin1')
    })
    const gateway = await startGateway(t, { targets: [origin] })
    const answer = await ask(gateway, '/')
    assert.equal(answer.status, 502)
    assert.equal(codeOf(answer), 'upstream-invalid')
    assert.equal(gateway.written.records[0]?.status, 502)
  })
}

const SURVIVED: readonly [name: string, answer: string][] = [
  ['Trailer beside a length', 'HTTP/1.1 200 OK\r\ntrailer: x-a\r\ncontent-length: 2\r\n\r\nok'],
  [
    'Connection that names the length',
    'HTTP/1.1 200 OK\r\nconnection: content-length, keep-alive\r\ncontent-length: 2\r\n\r\nok',
  ],
  ['a reason phrase in another tongue', 'HTTP/1.1 200 \xc3\xa4\xc4\x80\r\ncontent-length: 2\r\n\r\nok'],
  ['an empty header value', 'HTTP/1.1 200 OK\r\nx-empty:\r\ncontent-length: 2\r\n\r\nok'],
  ['the end of the connection as the end of the body', 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok'],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nok'],
  [
    'a trailer with a bad value',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-a\r\n\r\n2\r\nok\r\n0\r\nx-a: \xff\r\n\r\n',
  ],
  ['a name that is no property', 'HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y\r\ncontent-length: 2\r\n\r\nok'],
]

for (const [name, bytes] of SURVIVED) {
  test(`an odd answer is passed on: ${name}`, async (t) => {
    const origin = await startRawUpstream(t, (socket) => {
      socket.end(bytes, 'latin1')
    })
    const gateway = await startGateway(t, { targets: [origin] })
    const answer = await ask(gateway, '/')
    assert.equal(answer.status, 200)
    assert.equal(answer.body, 'ok')
  })
}

test('an answer that outruns its request is delivered while the client still sends', async (t) => {
  const upstream = await startUpstream(t, (request, response) => {
    request.resume()
    response.write('early')
    request.on('end', () => response.end(' late'))
  })
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const request = http.request({
    host: '127.0.0.1',
    port: gateway.port,
    method: 'POST',
    headers: { ...HUMAN, 'content-length': 8 },
    agent: false,
  })
  request.write('half')
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  request.end('half')
  assert.equal((await take(response)).body, 'early late')
})
