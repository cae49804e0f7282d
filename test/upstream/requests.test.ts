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
  until,
} from './fixture.ts'

interface Seen {
  method: string
  url: string
  headers: Map<string, string[]>
  body: string
  trailers: NodeJS.Dict<string>
}

function recorder(seen: Seen[]): http.RequestListener {
  return async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url = '', rawHeaders, trailers } = request
    seen.push({ method, url, headers: headerMap(rawHeaders), body: Buffer.concat(chunks).toString('latin1'), trailers })
    response.end('done')
  }
}

test('what the client says of itself is stripped, and the gateway says it instead', async (t) => {
  const seen: Seen[] = []
  const upstream = await startUpstream(t, recorder(seen))
  const gateway = await startGateway(t, { targets: [upstream.origin], routes: [{ cookies: ['theme'] }] })
  const answer = await askRaw(
    gateway,
    [
      'GET /things/1?q=a%20b HTTP/1.1',
      'Host: api.example.com:8080',
      'Authorization: Bearer human',
      'Cookie: theme=dark; session=stolen',
      'X-Planegate-Assertion: forged',
      'x_planegate.assertion: forged',
      'X-User-Id: root',
      'X-Forwarded-For: 6.6.6.6',
      'Forwarded: for=6.6.6.6',
      'X-Real-IP: 6.6.6.6',
      'X-Original-URL: /admin',
      'X-Copy: prefix human suffix',
      'X-Kept: caf\xe9',
      'Keep-Alive: x',
      'Proxy-Connection: x',
      'TE: trailers',
      'X-Named: dropped',
      'Connection: close, X-Named, x-planegate-assertion, x-request-id',
      'tracestate: vendor=1',
      '',
      '',
    ].join('\r\n'),
  )
  assert.match(answer, /^HTTP\/1\.1 200 /)
  const [{ url, headers } = assert.fail('nothing reached the upstream')] = seen
  assert.equal(url, '/things/1?q=a%20b')
  assert.equal(headers.get('x-request-id')?.length, 1)
  assert.match(headers.get('traceparent')?.join() ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  headers.delete('x-request-id')
  headers.delete('traceparent')
  assert.deepEqual(Object.fromEntries(headers), {
    host: [upstream.origin.slice('http://'.length)],
    connection: ['keep-alive'],
    cookie: ['theme=dark'],
    'x-kept': ['caf\xe9'],
    'x-forwarded-for': ['192.0.2.7'],
    'x-forwarded-proto': ['http'],
    'x-forwarded-host': ['api.example.com:8080'],
    forwarded: ['for=192.0.2.7;host="api.example.com:8080";proto=http'],
    'x-planegate-assertion': ['signed'],
  })
  assert.deepEqual(gateway.written.violations, ['I5'])
})

test('a PUBLIC route forwards no assertion and no credential', async (t) => {
  const seen: Seen[] = []
  const upstream = await startUpstream(t, recorder(seen))
  const gateway = await startGateway(t, { targets: [upstream.origin], routes: [{ plane: 'PUBLIC' }] })
  assert.equal((await ask(gateway, '/')).status, 200)
  assert.equal(seen[0]?.headers.has('authorization'), false)
  assert.equal(seen[0]?.headers.has('x-planegate-assertion'), false)
})

const PATHS: readonly [sent: string, stripPrefix: string | null, received: string][] = [
  ['/a/b', null, '/a/b'],
  ['/a/%7Eb?x=%7E', null, '/a/~b?x=%7E'],
  ['/a/%e2%82%ac', null, '/a/%E2%82%AC'],
  ['/api/a', '/api', '/a'],
  ['/api', '/api', '/'],
  ['/apis/a', '/api', '/apis/a'],
  ['/a?', null, '/a'],
  ['/a?b=../..//c\\d', null, '/a?b=../..//c\\d'],
  ['/a?access_token=x', null, '400'],
]

for (const [sent, stripPrefix, received] of PATHS) {
  test(`the path that was matched is sent: ${sent}`, async (t) => {
    const seen: Seen[] = []
    const upstream = await startUpstream(t, recorder(seen))
    const gateway = await startGateway(t, { targets: [upstream.origin], routes: [{ stripPrefix }] })
    const { status } = await ask(gateway, sent)
    assert.equal(status === 200 ? seen[0]?.url : String(status), received)
  })
}

const BODIES: readonly [
  name: string,
  method: string,
  headers: http.OutgoingHttpHeaders,
  body: string,
  length: string | undefined,
][] = [
  ['with a length', 'POST', { 'content-length': 5 }, 'hello', '5'],
  ['in chunks', 'PUT', { 'transfer-encoding': 'chunked' }, 'hello', undefined],
  ['of a DELETE', 'DELETE', { 'content-length': 5 }, 'hello', '5'],
  ['of a GET', 'GET', { 'content-length': 5 }, 'hello', '5'],
  ['of a GET in chunks', 'GET', { 'transfer-encoding': 'chunked' }, 'hello', undefined],
  ['of a QUERY without a type', 'QUERY', { 'content-length': 5 }, 'hello', '5'],
  ['that is empty', 'POST', { 'content-length': 0 }, '', '0'],
  ['that claims to be JSON', 'POST', { 'content-type': 'application/json', 'content-length': 5 }, '{"a":', '5'],
]

for (const [name, method, headers, body, length] of BODIES) {
  test(`a body ${name} arrives as it was sent`, async (t) => {
    const seen: Seen[] = []
    const upstream = await startUpstream(t, recorder(seen))
    const gateway = await startGateway(t, { targets: [upstream.origin] })
    assert.equal((await ask(gateway, '/', { method, headers: { ...HUMAN, ...headers }, body })).status, 200)
    assert.equal(seen[0]?.method, method)
    assert.equal(seen[0]?.body, body)
    if (length !== undefined) assert.deepEqual(seen[0]?.headers.get('content-length'), [length])
  })
}

test('trailers of a request are dropped', async (t) => {
  const seen: Seen[] = []
  const upstream = await startUpstream(t, recorder(seen))
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const answer = await askRaw(
    gateway,
    'POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer human\r\nConnection: close\r\nTrailer: X-User-Id\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-User-Id: root\r\n\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 200 /)
  assert.equal(seen[0]?.body, 'abc')
  assert.deepEqual(seen[0]?.trailers, {})
  assert.equal(seen[0]?.headers.has('trailer'), false)
})

test('a chunked body above the limit is refused, and the upstream does not get to believe it', async (t) => {
  let complete = false
  let aborted = false
  const upstream = await startUpstream(t, (request) => {
    request.resume()
    request.on('end', () => {
      complete = true
    })
    request.on('close', () => {
      aborted = !complete
    })
    request.on('error', () => {})
  })
  const gateway = await startGateway(t, { targets: [upstream.origin], pipeline: { maxBodySize: 100_000 } })
  const answer = await ask(gateway, '/', {
    method: 'POST',
    headers: { ...HUMAN, 'transfer-encoding': 'chunked' },
    body: Buffer.alloc(400_000, 'x'),
  })
  assert.equal(answer.status, 413)
  assert.equal(codeOf(answer), 'body-too-large')
  await until(() => aborted, 'the upstream saw the body end')
  assert.equal(gateway.written.records.length, 1)
})

test('an upstream that answers without reading a large body does not cost the client its answer', async (t) => {
  const upstream = await startUpstream(t, (_request, response) => {
    response.writeHead(403, { 'content-length': 4 })
    response.end('nope')
  })
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  for (let round = 0; round < 3; round += 1) {
    const answer = await ask(gateway, '/', {
      method: 'POST',
      headers: { ...HUMAN, 'content-length': 8 * MiB },
      body: Buffer.alloc(8 * MiB),
      agent,
    })
    assert.equal(answer.status, 403)
    assert.equal(answer.body, 'nope')
  }
})

test('what an early answer leaves of a body is read and dropped, and the connection serves on', async (t) => {
  let answer = () => {}
  const origin = await startRawUpstream(t, (socket) => {
    socket.pause()
    answer = () => socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nnope')
  })
  const gateway = await startGateway(t, { targets: [origin] })
  // Node's own client stops sending when the answer is whole, so this one is made by hand.
  const client = net.connect(gateway.port, '127.0.0.1')
  let received = ''
  client.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  client.on('error', () => {})
  t.after(() => client.destroy())
  for (let round = 1; round <= 2; round += 1) {
    let sent = 0
    const pump = () => {
      while (sent < 100 * MiB) {
        sent += MiB
        if (!client.write(Buffer.alloc(MiB))) return void client.once('drain', pump)
      }
    }
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer human\r\nContent-Length: ${100 * MiB}\r\n\r\n`)
    pump()
    assert.ok((await settled(() => sent, 'the upload stopped with its reader')) < 60 * MiB)
    answer()
    await until(() => received.split('\r\n\r\nnope').length === round + 1, 'the answer came')
    await until(() => sent === 100 * MiB && client.writableLength === 0, 'the rest was taken')
  }
})

test('the request after a large body on the same connection is answered', async (t) => {
  const seen: Seen[] = []
  const upstream = await startUpstream(t, recorder(seen))
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  for (let round = 0; round < 3; round += 1) {
    const body = Buffer.alloc(4 * MiB, 'x')
    assert.equal(
      (await ask(gateway, '/large', { method: 'POST', headers: { ...HUMAN, 'content-length': body.length }, body, agent }))
        .status,
      200,
    )
    assert.equal((await ask(gateway, '/small', { agent })).status, 200)
  }
  assert.deepEqual(
    seen.map((one) => one.body.length),
    [4 * MiB, 0, 4 * MiB, 0, 4 * MiB, 0],
  )
})

test('100 MiB go up without being held', async (t) => {
  let received = 0
  let hold = true
  const upstream = await startUpstream(t, (request, response) => {
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
      // A reader that stops: what is sent on meanwhile must be bounded by buffers, not by the body.
      if (hold && received > 5 * MiB) request.pause()
    })
    request.on('end', () => response.end('done'))
    resume = () => request.resume()
  })
  let resume = () => {}
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const request = http.request({
    host: '127.0.0.1',
    port: gateway.port,
    method: 'POST',
    headers: { ...HUMAN, 'content-length': 100 * MiB },
    agent: false,
  })
  const chunk = Buffer.alloc(MiB, 'x')
  let sent = 0
  const pump = () => {
    while (sent < 100 * MiB) {
      sent += MiB
      if (!request.write(chunk)) return void request.once('drain', pump)
    }
    request.end()
  }
  pump()
  await until(() => received > 5 * MiB, 'the upstream received its first MiB')
  await settled(() => sent, 'the upload stopped with its reader')
  assert.ok(sent < 60 * MiB, `${sent} bytes were taken while the upstream read 5 MiB`)
  hold = false
  resume()
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.resume()
  await once(response, 'end')
  assert.equal(response.statusCode, 200)
  assert.equal(received, 100 * MiB)
})

test('a client that hangs up ends the request at the upstream', async (t) => {
  let closed = false
  let arrived = false
  const upstream = await startUpstream(t, (request) => {
    arrived = true
    request.socket.on('close', () => {
      closed = true
    })
  })
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const request = http.get({ host: '127.0.0.1', port: gateway.port, headers: HUMAN, agent: false })
  request.on('error', () => {})
  await until(() => arrived, 'the request arrived')
  request.destroy()
  await until(() => closed, 'the connection to the upstream was closed')
  await until(() => gateway.written.records.length === 1, 'a record was written')
  assert.equal(gateway.written.records[0]?.status, 499)
})

test('a client that hangs up in the middle of its body ends the request at the upstream', async (t) => {
  let closed = false
  let received = 0
  const upstream = await startUpstream(t, (request) => {
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    request.on('error', () => {})
    request.on('close', () => {
      closed = true
    })
  })
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const request = http.request({
    host: '127.0.0.1',
    port: gateway.port,
    method: 'POST',
    headers: { ...HUMAN, 'content-length': 1000 },
    agent: false,
  })
  request.on('error', () => {})
  request.write('half')
  await until(() => received === 4, 'half a body arrived')
  request.destroy()
  await until(() => closed, 'the connection to the upstream was closed')
})

test('Expect: 100-continue is answered here and not passed on', async (t) => {
  const seen: Seen[] = []
  const upstream = await startUpstream(t, recorder(seen))
  const gateway = await startGateway(t, { targets: [upstream.origin] })
  const request = http.request({
    host: '127.0.0.1',
    port: gateway.port,
    method: 'POST',
    headers: { ...HUMAN, expect: '100-continue', 'content-length': 4 },
    agent: false,
  })
  request.flushHeaders()
  await once(request, 'continue')
  request.end('body')
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.resume()
  assert.equal(response.statusCode, 200)
  assert.equal(seen[0]?.body, 'body')
  assert.equal(seen[0]?.headers.has('expect'), false)
})

test('a request is sent once, even when a kept connection breaks under it', async (t) => {
  let requests = 0
  const origin = await startRawUpstream(t, (socket) => {
    requests += 1
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    socket.on('data', () => {
      requests += 1
      socket.resetAndDestroy()
    })
  })
  const gateway = await startGateway(t, { targets: [origin] })
  assert.equal((await ask(gateway, '/')).status, 200)
  const second = await ask(gateway, '/')
  assert.equal(second.status, 502)
  assert.equal(codeOf(second), 'upstream-invalid')
  assert.equal(requests, 2)
})
