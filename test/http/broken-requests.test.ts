import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { BASICS, gatewayFolder, type RunningGateway, sendRaw, startGateway } from '../support/gateway.ts'

/**
 * What comes behind a whole request on its connection must not change what is recorded of it: a client could otherwise have a service act and let the
 * log say that it was refused.
 */

let gateway: RunningGateway
let acted: string[] = []
const upstream = createServer((request, response) => {
  request.resume().once('end', () => {
    acted.push(request.url ?? '')
    setTimeout(() => response.end('done'), 300)
  })
})

before(async () => {
  await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening))
  const routes = 'plane: PUBLIC\nupstream: slow\nroutes:\n  - { id: pay, path: /pay, methods: [GET, POST], reason: test }\n'
  const { port } = upstream.address() as AddressInfo
  gateway = await startGateway(
    gatewayFolder(`${BASICS}\nupstreams: { slow: { targets: ['http://127.0.0.1:${port}'] } }\n`, { routes }),
  )
})

after(async () => {
  await gateway.stop()
  upstream.close()
  upstream.closeAllConnections()
})

const POST = 'POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi'

test('garbage behind a whole request: the request is answered and recorded as allowed, the garbage as refused', async () => {
  acted = []
  const answer = await sendRaw(gateway.port, `${POST}GARBAGE\r\n\r\n`, { waitForClose: true })
  assert.equal(answer.status, 200)
  assert.match(answer.text, /done/)
  assert.deepEqual(acted, ['/pay'])
  const records = (await gateway.records()).slice(-2)
  assert.deepEqual(records.map(({ decision, status, reason }) => [decision, status, reason]).sort(), [
    ['allow', 200, null],
    ['deny', 400, 'parser-error'],
  ])
})

test('a connection that is reset after a whole request: the client left, it was not refused', async () => {
  acted = []
  const socket: Socket = connect(gateway.port, '127.0.0.1', () => socket.write(POST))
  for (const deadline = performance.now() + 5_000; acted.length === 0 && performance.now() < deadline; )
    await new Promise(setImmediate)
  socket.on('error', () => {})
  socket.resetAndDestroy()
  const last = (await gateway.records()).at(-1)
  assert.deepEqual([last?.decision, last?.status, last?.reason], ['allow', 499, 'client-disconnected'])
})

test('an upgrade that is not made is an ordinary request, and its connection ends with the answer', async () => {
  const head =
    'GET /pay HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n'
  const answer = await sendRaw(gateway.port, `${head}GET /pay HTTP/1.1\r\nHost: a\r\n\r\n`, { waitForClose: true })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.connection, 'close')
})

test('a body that breaks off in garbage is refused, and nothing else is recorded', async () => {
  const before = (await gateway.records()).length
  const answer = await sendRaw(
    gateway.port,
    'POST /pay HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nZZ\r\n',
    { waitForClose: true },
  )
  assert.ok(answer.status === 400 || answer.status === 0, answer.text)
  assert.equal((await gateway.records()).length, before + 1)
})
