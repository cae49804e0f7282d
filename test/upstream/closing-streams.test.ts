import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { type TestContext, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { WebSocket, WebSocketServer } from 'ws'
import { Refusal } from '../../src/problem/refusal.ts'
import type { Standing } from '../../src/upstream/credential-standing.ts'
import { type Gateway, HUMAN, listen, startGateway, until } from './fixture.ts'

/** What clients and upstreams see of streams that the gateway ends. */

interface Opened {
  readonly response: http.IncomingMessage
  readonly requestId: string
  text(): string
  bytes(): Buffer
  /** How it ended: `end`, `cut`, or null while it is open. */
  ended(): 'end' | 'cut' | null
}

async function openEvents(
  t: TestContext,
  gateway: Gateway,
  path = '/events',
  options: http.RequestOptions = {},
): Promise<Opened> {
  const request = http.get({ host: '127.0.0.1', port: gateway.port, path, agent: false, headers: HUMAN, ...options })
  t.after(() => request.destroy())
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const chunks: Buffer[] = []
  let ended: 'end' | 'cut' | null = null
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  response.on('end', () => {
    ended = 'end'
  })
  response.on('error', () => {
    ended = 'cut'
  })
  const bytes = () => Buffer.concat(chunks)
  return {
    response,
    requestId: String(response.headers['x-request-id']),
    bytes,
    text: () => bytes().toString(),
    ended: () => ended,
  }
}

/** An upstream whose path says what it streams, and that echoes on WebSockets. */
async function streaming(t: TestContext) {
  let open = 0
  const server = http.createServer((request, response) => {
    open += 1
    response.on('close', () => {
      open -= 1
    })
    const headers: Record<string, string> = { 'content-type': 'text/event-stream' }
    const write = (body: string | Buffer) => response.writeHead(200, headers).write(body)
    if (request.url === '/half') write('data: whole\n\ndata: ha')
    else if (request.url === '/gzip') {
      headers['content-encoding'] = 'gzip'
      write(gzipSync('data: 1\n\n'))
    } else if (request.url === '/sized') {
      headers['content-length'] = '1000'
      write('data: 1\n\n')
    } else if (request.url === '/plain') response.writeHead(200, { 'content-type': 'text/plain' }).write('text')
    else if (request.url === '/done') response.writeHead(200, headers).end('data: 1\n\n')
    else if (request.url === '/flood') {
      response.writeHead(200, headers)
      const pump = () => {
        while (!response.destroyed && response.write(`data: ${'x'.repeat(65_536)}\n\n`));
      }
      response.on('drain', pump)
      pump()
    } else write('data: 1\n\n')
  })
  const echo = new WebSocketServer({ server })
  echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data)).on('error', () => {}))
  return { origin: `http://127.0.0.1:${await listen(t, server)}`, open: () => open, sockets: echo.clients }
}

/** A gateway whose credential is good until it is said not to be. */
async function start(t: TestContext) {
  const upstream = await streaming(t)
  let standing = (): ReturnType<Standing> => null
  const gateway = await startGateway(t, { targets: [upstream.origin], standing: () => standing() })
  return {
    upstream,
    gateway,
    withdraw(reason: ReturnType<Standing> | Error) {
      standing = () => {
        if (reason instanceof Error) throw reason
        return reason
      }
    },
  }
}

const closing = (requestId: string, code = 'credential-invalid') =>
  `event: planegate-closed\ndata: {"code":"${code}","requestId":"${requestId}"}\n\n`

async function connect(t: TestContext, gateway: Gateway): Promise<{ client: WebSocket; closed: Promise<[number, string]> }> {
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/socket`, { headers: HUMAN }).on('error', () => {})
  t.after(() => client.terminate())
  await once(client, 'open')
  return { client, closed: new Promise((resolve) => client.once('close', (code, reason) => resolve([code, String(reason)]))) }
}

test('the last event follows whole events, and the upstream learns that nobody listens', async (t) => {
  const { gateway, upstream, withdraw } = await start(t)
  const events = await openEvents(t, gateway)
  await until(() => events.text() !== '', 'the first event')
  withdraw('session-revoked')
  await until(() => events.ended() !== null, 'the stream ends')
  assert.equal(events.text(), `data: 1\n\n${closing(events.requestId)}`)
  assert.equal(events.ended(), 'end')
  await until(() => upstream.open() === 0, 'the upstream is let go')
  assert.deepEqual(
    gateway.written.streams.map(({ stream, code, reason, requestId }) => [stream, code, reason, requestId]),
    [['event-stream', 'credential-invalid', 'session-revoked', events.requestId]],
  )
  assert.equal(gateway.written.records.length, 1)
  assert.equal(gateway.forwarding.streams.watching, false)
})

test('half an event is named so, lest a page takes it for a whole one', async (t) => {
  const { gateway, withdraw } = await start(t)
  const events = await openEvents(t, gateway, '/half')
  await until(() => events.text() !== '', 'half an event')
  withdraw('session-revoked')
  await until(() => events.ended() !== null, 'the stream ends')
  assert.equal(events.text(), `data: whole\n\ndata: ha\nevent: planegate-incomplete\n\n${closing(events.requestId)}`)
})

test('nothing is written into a compressed stream; one with a length is cut', async (t) => {
  const { gateway, withdraw } = await start(t)
  const packed = await openEvents(t, gateway, '/gzip')
  const sized = await openEvents(t, gateway, '/sized')
  await until(() => packed.bytes().length > 0 && sized.text() !== '', 'both began')
  withdraw('session-revoked')
  await until(() => packed.ended() !== null && sized.ended() !== null, 'both end')
  assert.deepEqual([packed.ended(), sized.ended()], ['end', 'cut'])
  assert.equal(gunzipSync(packed.bytes()).toString(), 'data: 1\n\n')
  assert.equal(sized.text(), 'data: 1\n\n')
  assert.equal(gateway.written.streams.length, 2)
})

test('the connection serves the next request', async (t) => {
  const { gateway, withdraw } = await start(t)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const events = await openEvents(t, gateway, '/events', { agent })
  withdraw('session-revoked')
  await until(() => events.ended() === 'end', 'the stream ends')
  const next = await openEvents(t, gateway, '/done', { agent })
  await until(() => next.ended() === 'end', 'the next answer')
  assert.equal(next.text(), 'data: 1\n\n')
})

test('a client that reads nothing gets nothing new and is cut off in the end', async (t) => {
  const { gateway, upstream, withdraw } = await start(t)
  const request = http.get({ host: '127.0.0.1', port: gateway.port, path: '/flood', agent: false, headers: HUMAN })
  request.on('error', () => {})
  t.after(() => request.destroy())
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.on('error', () => {})
  let connections = 1
  const sample = () => gateway.listener.server.getConnections((_error, count) => (connections = count))
  withdraw('session-revoked')
  await until(() => upstream.open() === 0, 'the upstream is let go')
  const deadline = performance.now() + 8_000
  while (connections > 0 && performance.now() < deadline) {
    sample()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.equal(connections, 0)
  assert.equal(gateway.written.streams.length, 1)
})

test('other answers are not streams, and clients and upstreams that leave first leave nothing behind', async (t) => {
  const { gateway, upstream, withdraw } = await start(t)
  const plain = await openEvents(t, gateway, '/plain')
  await until(() => plain.text() !== '', 'the text')
  assert.equal(gateway.forwarding.streams.size, 0)
  const done = await openEvents(t, gateway, '/done')
  await until(() => done.ended() === 'end', 'the upstream ends')
  assert.equal(gateway.forwarding.streams.watching, false)
  const leaving = await openEvents(t, gateway)
  const [one, other] = [await connect(t, gateway), await connect(t, gateway)]
  assert.equal(gateway.forwarding.streams.size, 3)
  leaving.response.destroy()
  one.client.close(1000)
  other.client.terminate()
  await until(() => gateway.forwarding.streams.size === 0, 'all are forgotten')
  await until(() => upstream.sockets.size === 0 && upstream.open() === 1, 'the upstream is let go')
  withdraw('session-revoked')
  assert.deepEqual([gateway.forwarding.streams.watching, gateway.written.streams.length], [false, 0])
  assert.equal(plain.ended(), null)
})

for (const { why, code, text } of [
  { why: 'session-revoked' as const, code: 1008, text: 'credential revoked' },
  { why: 'expired' as const, code: 1008, text: 'credential expired' },
  { why: new Refusal('revocation-unavailable', 'list-behind'), code: 1013, text: 'credential cannot be checked' },
])
  test(`a WebSocket closes with ${code} ${text}, and its client's words go nowhere from then on`, async (t) => {
    const { gateway, upstream, withdraw } = await start(t)
    const { client, closed } = await connect(t, gateway)
    const talking = setInterval(() => client.readyState === WebSocket.OPEN && client.send('x'.repeat(1000)), 1)
    t.after(() => clearInterval(talking))
    await once(client, 'message')
    withdraw(why)
    assert.deepEqual(await closed, [code, text])
    await until(() => upstream.sockets.size === 0 && gateway.forwarding.tunnels.size === 0, 'both ends are gone')
    assert.deepEqual(
      gateway.written.streams.map(({ stream, route }) => [stream, route]),
      [['websocket', 'route-0']],
    )
  })

test('a stop ends event streams and WebSockets, PUBLIC ones too, and records none as closed for its credential', async (t) => {
  const upstream = await streaming(t)
  const gateway = await startGateway(t, {
    targets: [upstream.origin],
    routes: [{ path: '/public', plane: 'PUBLIC' }, {}],
    standing: () => null,
  })
  const open = [await openEvents(t, gateway), await openEvents(t, gateway, '/public', { headers: {} })]
  const { closed } = await connect(t, gateway)
  await until(() => open.every((events) => events.text() !== ''), 'both began')
  gateway.forwarding.drain()
  await until(() => open.every((events) => events.ended() === 'end'), 'both end')
  for (const events of open) assert.equal(events.text(), `data: 1\n\n${closing(events.requestId, 'gateway-stopping')}`)
  assert.deepEqual(await closed, [1001, 'the gateway is stopping'])
  const late = await openEvents(t, gateway)
  await until(() => late.ended() === 'end', 'one that opens meanwhile ends too')
  assert.equal(late.text(), closing(late.requestId, 'gateway-stopping'))
  assert.deepEqual(gateway.written.streams, [])
})

test('a stream of a PUBLIC route is nobody’s and stays', async (t) => {
  const upstream = await streaming(t)
  const asked: unknown[] = []
  const gateway = await startGateway(t, {
    targets: [upstream.origin],
    routes: [{ path: '/public', plane: 'PUBLIC' }, {}],
    standing: (principal) => {
      asked.push(principal)
      return 'revoked'
    },
  })
  const free = await openEvents(t, gateway, '/public', { headers: {} })
  const owned = await openEvents(t, gateway)
  await until(() => owned.ended() !== null, 'the other ends')
  assert.equal(free.ended(), null)
  assert.equal(asked.length, 1)
  assert.equal(gateway.forwarding.streams.size, 1)
})
