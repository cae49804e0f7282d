import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { adjudicate } from '../../src/pipeline/adjudicate.ts'
import { closeFrame, FrameBoundary } from '../../src/upstream/websocket-frames.ts'
import { inbound } from '../support/requests.ts'
import {
  closedPort,
  codeOf,
  type Gateway,
  HUMAN,
  headerMap,
  listen,
  MiB,
  startGateway,
  startRawUpstream,
  take,
  until,
} from './fixture.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const SWITCHED = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`

/** A real WebSocket upstream that says everything back. */
async function startEcho(t: TestContext): Promise<{ origin: string; sockets: WebSocket[]; requests: http.IncomingMessage[] }> {
  const server = http.createServer()
  const sockets: WebSocket[] = []
  const requests: http.IncomingMessage[] = []
  const echo = new WebSocketServer({ server, handleProtocols: (protocols) => [...protocols][0] ?? false })
  echo.on('connection', (socket, request) => {
    sockets.push(socket)
    requests.push(request)
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    socket.on('error', () => {})
  })
  return { origin: `http://127.0.0.1:${await listen(t, server)}`, sockets, requests }
}

function connect(
  gateway: Gateway,
  options: { headers?: Record<string, string>; protocols?: string[]; path?: string } = {},
): WebSocket {
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}${options.path ?? '/socket?x=1'}`, options.protocols ?? [], {
    headers: { ...HUMAN, ...options.headers },
  })
  client.on('error', () => {})
  return client
}

async function refusedBy(client: WebSocket): Promise<http.IncomingMessage> {
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, http.IncomingMessage]
  return response
}

/** An opening handshake as bytes, less the lines that `without` names, plus `more`. */
function handshake({ without = [], more = [] }: { without?: string[]; more?: string[] } = {}): string {
  const lines = [
    'Host: a',
    'Authorization: Bearer human',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${KEY}`,
  ]
  const kept = lines.filter((line) => !without.some((name) => line.startsWith(name)))
  return ['GET /socket HTTP/1.1', ...kept, ...more, '', ''].join('\r\n')
}

interface RawClient {
  readonly socket: net.Socket
  received(): string
}

function rawClient(gateway: Gateway, bytes: string): RawClient {
  const socket = net.connect(gateway.port, '127.0.0.1')
  let received = ''
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  socket.write(bytes, 'latin1')
  return { socket, received: () => received }
}

test('messages pass both ways as they are: text, binary, long ones, and the code of a close', async (t) => {
  const echo = await startEcho(t)
  const gateway = await startGateway(t, { targets: [echo.origin] })
  const client = connect(gateway, { protocols: ['chat'] })
  await once(client, 'open')
  assert.equal(client.protocol, 'chat')
  for (const message of ['h\u00e9llo', Buffer.alloc(70_000, 7), Buffer.alloc(8 * MiB, 1), '']) {
    client.send(message)
    const [data, isBinary] = (await once(client, 'message')) as [Buffer, boolean]
    assert.equal(isBinary, Buffer.isBuffer(message))
    assert.ok(data.equals(Buffer.from(message as string)))
  }
  client.ping('p')
  assert.equal(String((await once(client, 'pong'))[0]), 'p')
  const closed = once(echo.sockets[0] as WebSocket, 'close')
  client.close(4321, 'enough')
  const [code, reason] = (await closed) as [number, Buffer]
  assert.equal(code, 4321)
  assert.equal(String(reason), 'enough')
  await until(() => gateway.forwarding.tunnels.size === 0, 'the tunnel is gone')
  assert.deepEqual(
    gateway.written.records.map(({ status, decision }) => [status, decision]),
    [[101, 'allow']],
  )
})

test('a handshake is stripped and set like a request', async (t) => {
  const echo = await startEcho(t)
  const gateway = await startGateway(t, { targets: [echo.origin], routes: [{ stripPrefix: '/api' }] })
  const client = connect(gateway, {
    path: '/api/socket?x=1',
    headers: {
      cookie: 'session=stolen',
      'x-planegate-assertion': 'forged',
      x_user_id: 'root',
      origin: 'https://app.example',
      'x-forwarded-for': '6.6.6.6',
    },
  })
  await once(client, 'open')
  const request = echo.requests[0]
  const headers = headerMap(request?.rawHeaders ?? [])
  assert.equal(request?.url, '/socket?x=1')
  assert.deepEqual(headers.get('x-planegate-assertion'), ['signed'])
  assert.deepEqual(headers.get('origin'), ['https://app.example'])
  assert.deepEqual(headers.get('x-forwarded-for'), ['192.0.2.7'])
  assert.deepEqual(headers.get('upgrade'), ['websocket'])
  for (const gone of ['authorization', 'cookie', 'x_user_id']) assert.equal(headers.has(gone), false, gone)
  assert.deepEqual(gateway.written.violations, ['I5'])
  client.terminate()
})

test('a client hears the request id with the 101', async (t) => {
  const echo = await startEcho(t)
  const gateway = await startGateway(t, { targets: [echo.origin] })
  const client = connect(gateway, { headers: { 'x-request-id': 'mine-2' } })
  const [response] = (await once(client, 'upgrade')) as [http.IncomingMessage]
  assert.equal(response.headers['x-request-id'], 'mine-2')
  client.terminate()
})

test('an idle WebSocket is not cut', async (t) => {
  const echo = await startEcho(t)
  const gateway = await startGateway(t, { targets: [echo.origin], timeouts: { headers: 100, idle: 50 } })
  const client = connect(gateway)
  await once(client, 'open')
  const started = performance.now()
  await until(() => performance.now() - started > 400, 'eight times the idle limit has passed')
  client.send('still there')
  assert.equal(String((await once(client, 'message'))[0]), 'still there')
  client.terminate()
})

test('an upgrade without a credential is refused like a request', async (t) => {
  const echo = await startEcho(t)
  const gateway = await startGateway(t, { targets: [echo.origin] })
  const response = await refusedBy(connect(gateway, { headers: { authorization: '' } }))
  assert.equal(response.statusCode, 401)
  response.destroy()
  assert.equal(echo.requests.length, 0)
})

test("an upstream's refusal is passed on, and the connection ends with it", async (t) => {
  const origin = await startRawUpstream(t, (socket) => {
    socket.write(
      'HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nX-Planegate-Assertion: echoed\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nno way\r\n0\r\n\r\n',
    )
  })
  const gateway = await startGateway(t, { targets: [origin] })
  const response = await refusedBy(connect(gateway))
  const answer = await take(response)
  assert.equal(answer.status, 403)
  assert.equal(answer.body, 'no way')
  assert.equal(answer.headers['content-type'], 'text/plain')
  assert.equal(answer.headers.connection, 'close')
  assert.equal(answer.headers['x-planegate-assertion'], undefined)
  assert.equal(gateway.written.records[0]?.status, 403)
})

const FAULTS: readonly [name: string, bytes: string, reason: string][] = [
  ['no key', handshake({ without: ['Sec-WebSocket-Key'] }), 'websocket-key'],
  ['a short key', handshake({ without: ['Sec-WebSocket-Key'], more: ['Sec-WebSocket-Key: dGhlIHNhbXBsZQ=='] }), 'websocket-key'],
  [
    'a key with spare bits',
    handshake({ without: ['Sec-WebSocket-Key'], more: ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=='] }),
    'websocket-key',
  ],
  ['two keys', handshake({ more: [`Sec-WebSocket-Key: ${KEY}`] }), 'websocket-key'],
  ['another version', handshake({ without: ['Sec-WebSocket-Version'], more: ['Sec-WebSocket-Version: 8'] }), 'websocket-version'],
  ['a POST', handshake().replace('GET', 'POST'), 'upgrade-method'],
  ['HTTP/1.0', handshake().replace('HTTP/1.1', 'HTTP/1.0'), 'upgrade-method'],
]

for (const [name, bytes, reason] of FAULTS) {
  test(`a handshake with ${name} is refused before the upstream hears of it`, async (t) => {
    const echo = await startEcho(t)
    const gateway = await startGateway(t, { targets: [echo.origin] })
    const client = rawClient(gateway, bytes)
    await once(client.socket, 'close')
    assert.match(client.received(), /^HTTP\/1\.1 400 .*"code":"request-malformed"/s)
    assert.equal(gateway.refusals[0]?.reason, reason)
    assert.equal(echo.requests.length, 0)
  })
}

const INVALID: readonly [name: string, answer: string, code: string, status: number][] = [
  ['the wrong key accepted', SWITCHED.replace(ACCEPT, 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='), 'upstream-invalid', 502],
  ['no key accepted', SWITCHED.replace(/Sec-WebSocket-Accept.*\r\n/, ''), 'upstream-invalid', 502],
  [
    'the key accepted twice',
    SWITCHED.replace('\r\n\r\n', `\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`),
    'upstream-invalid',
    502,
  ],
  ['another protocol', SWITCHED.replace('Upgrade: websocket', 'Upgrade: h2c'), 'upstream-invalid', 502],
  ['no HTTP', 'what?\r\n\r\n', 'upstream-invalid', 502],
  ['an answer without end', `HTTP/1.1 400 Bad\r\n\r\n${'x'.repeat(100_000)}`, 'upstream-invalid', 502],
  ['an odd status', 'HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n', 'upstream-invalid', 502],
  ['nothing', '', 'upstream-timeout', 504],
]

for (const [name, bytes, code, status] of INVALID) {
  test(`an upstream that answers a handshake with ${name} is ${status} ${code}`, async (t) => {
    const origin = await startRawUpstream(t, (socket) => socket.write(bytes))
    const gateway = await startGateway(t, { targets: [origin], timeouts: { headers: 100 } })
    const client = rawClient(gateway, handshake())
    await once(client.socket, 'close')
    assert.match(client.received(), new RegExp(`^HTTP/1\\.1 ${status} .*"code":"${code}"`, 's'))
    assert.equal(gateway.written.records.length, 1)
  })
}

test('a handshake towards nobody is 502 upstream-unreachable', async (t) => {
  const gateway = await startGateway(t, { targets: [`http://127.0.0.1:${await closedPort()}`] })
  const answer = await take(await refusedBy(connect(gateway)))
  assert.equal(answer.status, 502)
  assert.equal(codeOf(answer), 'upstream-unreachable')
})

test('what comes right behind either head is not lost', async (t) => {
  let received = ''
  const origin = await startRawUpstream(t, (socket) => {
    socket.on('data', (chunk) => {
      received += chunk
    })
    socket.write(`${SWITCHED}from the upstream`)
  })
  const gateway = await startGateway(t, { targets: [origin] })
  const client = rawClient(gateway, `${handshake()}from the client`)
  await until(() => received === 'from the client', 'the upstream received what the client sent early')
  await until(() => client.received().endsWith('\r\n\r\nfrom the upstream'), 'the client received what came with the 101')
  client.socket.destroy()
})

test('a tunnel ends when either side ends, with what was still to be said', async (t) => {
  let upstreamSocket: net.Socket | null = null
  const origin = await startRawUpstream(t, (socket) => {
    upstreamSocket = socket
    socket.write(SWITCHED)
  })
  const gateway = await startGateway(t, { targets: [origin] })
  const endings: ((client: net.Socket, upstream: net.Socket) => void)[] = [
    (client) => client.destroy(),
    (client) => client.resetAndDestroy(),
    (client) => client.end('bye'),
    (_client, upstream) => upstream.destroy(),
    (_client, upstream) => upstream.resetAndDestroy(),
    (_client, upstream) => upstream.end('bye'),
  ]
  for (const [index, end] of endings.entries()) {
    upstreamSocket = null
    const client = rawClient(gateway, handshake())
    await until(() => client.received().includes('101') && upstreamSocket !== null, 'the tunnel is open')
    const upstream = upstreamSocket as unknown as net.Socket
    let last = ''
    upstream.on('data', (chunk) => {
      last += chunk
    })
    upstream.on('end', () => upstream.end())
    end(client.socket, upstream)
    await until(() => client.socket.destroyed && upstream.destroyed, `both are closed (${index})`)
    if (index === 2) assert.equal(last, 'bye')
    if (index === 5) assert.match(client.received(), /bye$/)
    await until(() => gateway.forwarding.tunnels.size === 0, 'the tunnel is gone')
  }
  assert.deepEqual(gateway.refusals, [])
})

test('a client that leaves before it is answered takes its handshake along', async (t) => {
  let upstreamSocket: net.Socket | null = null
  const origin = await startRawUpstream(t, (socket) => {
    upstreamSocket = socket
  })
  const gateway = await startGateway(t, { targets: [origin] })
  const client = rawClient(gateway, handshake())
  await until(() => upstreamSocket !== null, 'the handshake arrived')
  client.socket.end()
  await until(() => (upstreamSocket as net.Socket | null)?.destroyed === true, 'the upstream saw the connection close')
  await until(() => gateway.written.records.length === 1, 'a record was written')
  assert.equal(gateway.written.records[0]?.status, 499)
})

test('a client that sends without end before it is answered is cut', async (t) => {
  const origin = await startRawUpstream(t, () => {})
  const gateway = await startGateway(t, { targets: [origin] })
  const client = rawClient(gateway, handshake())
  client.socket.write(Buffer.alloc(200_000))
  await new Promise((resolve) => client.socket.once('close', resolve))
  await until(() => gateway.written.records[0]?.status === 499, 'a record was written')
})

test('a tunnel survives a socket that is already gone', async (t) => {
  const echo = await startEcho(t)
  const gateway = await startGateway(t, { targets: [echo.origin] })
  const { pipeline } = await import('../support/requests.ts').then(({ pipelineFor, route }) => pipelineFor([route()]))
  const adjudication = await adjudicate(inbound({ headers: ['Authorization', 'Bearer human'] }), pipeline, () => {})
  const { granted } = adjudication
  assert.ok(granted !== null)
  const socket = new PassThrough()
  socket.destroy()
  const upstream = {
    name: 'things',
    targets: [echo.origin],
    audience: 'things',
    timeouts: { connect: 1, headers: 1, idle: 1 },
    connections: 1,
  }
  gateway.forwarding.tunnel(
    { granted, upstream, adjudication },
    new http.IncomingMessage(new net.Socket()),
    socket,
    Buffer.alloc(0),
  )
  assert.equal(adjudication.concluded, true)
  assert.equal(echo.requests.length, 0)
  await until(() => gateway.forwarding.tunnels.size === 0, 'the tunnel is gone')
})

test('a goodbye waits for a client that is slow to take what came before it', async (t) => {
  const echo = await startEcho(t)
  const gateway = await startGateway(t, { targets: [echo.origin] })
  const { pipeline } = await import('../support/requests.ts').then(({ pipelineFor, route }) => pipelineFor([route()]))
  const adjudication = await adjudicate(inbound({ headers: ['Authorization', 'Bearer human'] }), pipeline, () => {})
  const { granted } = adjudication
  assert.ok(granted !== null)
  let taken = ''
  let taking = () => {}
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      taken += chunk.toString('latin1')
      if (taken.includes('\x81\x02hi')) taking = done
      else done()
    },
  })
  const request = Object.assign(new http.IncomingMessage(new net.Socket()), {
    method: 'GET',
    httpVersion: '1.1',
    headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13', 'sec-websocket-key': KEY },
    rawHeaders: ['Sec-WebSocket-Key', KEY],
  })
  const handshakeHeaders = ['Sec-WebSocket-Key', KEY, 'Sec-WebSocket-Version', '13']
  const facts = { ...granted.facts, inbound: inbound({ headers: handshakeHeaders }) }
  const carried = Object.assign(Object.create(granted), { facts })
  const upstream = {
    name: 'things',
    targets: [echo.origin],
    audience: 'things',
    timeouts: { connect: 1e3, headers: 1e3, idle: 1e3 },
    connections: 1,
  }
  gateway.forwarding.tunnel({ granted: carried, upstream, adjudication }, request, socket, Buffer.alloc(0))
  await until(() => echo.sockets.length === 1, 'the upstream has it')
  echo.sockets[0]?.send('hi')
  await until(() => taken.endsWith('\x81\x02hi'), 'a message that the client is slow to take')
  gateway.forwarding.drain()
  await until(() => echo.sockets[0]?.readyState === WebSocket.CLOSED, 'the upstream is let go')
  taking()
  await until(() => socket.writableFinished || socket.destroyed, 'the client took it')
  assert.ok(taken.endsWith(closeFrame(1001, 'the gateway is stopping').toString('latin1')))
  socket.destroy()
})

test('a WebSocket that its upstream ended is no open stream any more, however long its client stays', async (t) => {
  const origin = await startRawUpstream(t, (socket) => {
    socket.write(SWITCHED)
    socket.on('data', () => socket.end())
  })
  const gateway = await startGateway(t, { targets: [origin] })
  const socket = net.connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {})
  t.after(() => socket.destroy())
  socket.resume()
  socket.write(handshake(), 'latin1')
  await until(() => gateway.forwarding.streams.size === 1, 'it is open')
  socket.write('x')
  await until(() => gateway.forwarding.streams.size === 0, 'it is none')
  assert.equal(gateway.forwarding.tunnels.size, 1)
})

test('an upgrade pipelined behind another request does not end the process', async (t) => {
  const echo = await startEcho(t)
  const gateway = await startGateway(t, { targets: [echo.origin] })
  const client = rawClient(gateway, `GET /first HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer human\r\n\r\n${handshake()}`)
  await new Promise((resolve) => client.socket.once('close', resolve))
  const after = connect(gateway)
  await once(after, 'open')
  after.terminate()
})

test('draining says goodbye to every WebSocket with 1001', async (t) => {
  const echo = await startEcho(t)
  const gateway = await startGateway(t, { targets: [echo.origin] })
  const clients = [connect(gateway), connect(gateway)]
  await Promise.all(clients.map((client) => once(client, 'open')))
  const closes = clients.map((client) => once(client, 'close') as Promise<[number, Buffer]>)
  assert.equal(gateway.forwarding.tunnels.size, 2)
  gateway.forwarding.drain()
  for (const [code, reason] of await Promise.all(closes))
    assert.deepEqual([code, String(reason)], [1001, 'the gateway is stopping'])
  await until(() => echo.sockets.every((socket) => socket.readyState === WebSocket.CLOSED), 'the upstream learned of it')
})

test('one tunnel can be closed for its own reason, but never inside a frame', async (t) => {
  const origin = await startRawUpstream(t, (socket) => {
    socket.write(Buffer.concat([Buffer.from(SWITCHED), Buffer.from([0x82, 0x05, 1, 2])]))
  })
  const gateway = await startGateway(t, { targets: [origin] })
  const client = rawClient(gateway, handshake())
  await until(() => client.received().endsWith('\x82\x05\x01\x02'), 'half a frame came')
  const [tunnel] = gateway.forwarding.tunnels
  assert.equal(tunnel?.granted.facts.principal?.subject, 'user-1')
  tunnel?.close(1008, 'withdrawn')
  await once(client.socket, 'close')
  assert.ok(client.received().endsWith('\x82\x05\x01\x02'))
})

test('the end of a frame is found at any cut', () => {
  const frames = [
    Buffer.from([0x81, 0x00]),
    Buffer.from([0x81, 0x02, 1, 2]),
    Buffer.concat([Buffer.from([0x82, 126, 0x01, 0x00]), Buffer.alloc(256)]),
  ]
  frames.push(
    Buffer.concat([Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]), Buffer.alloc(65_536)]),
    Buffer.from([0x81, 0x81, 9, 9, 9, 9, 1]),
  )
  const ends = new Set<number>([0])
  let length = 0
  for (const frame of frames) {
    length += frame.length
    ends.add(length)
  }
  const all = Buffer.concat(frames)
  for (const step of [1, 2, 3, 7, 1_000, all.length]) {
    const boundary = new FrameBoundary()
    for (let at = 0; at < all.length; at += step) {
      boundary.see(all.subarray(at, at + step))
      assert.equal(boundary.between, ends.has(Math.min(at + step, all.length)), `step ${step} at ${at}`)
    }
  }
})

test('a close frame holds its code and as much of the reason as fits', () => {
  assert.deepEqual(closeFrame(1001, 'bye'), Buffer.from([0x88, 5, 0x03, 0xe9, 0x62, 0x79, 0x65]))
  const long = closeFrame(1001, 'é'.repeat(100))
  assert.equal(long[1], long.length - 2)
  assert.ok(long.length <= 127)
  assert.equal(long.subarray(4).toString('utf8'), 'é'.repeat(61))
})
