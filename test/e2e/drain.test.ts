import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Agent, createServer, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import {
  type AuditRecord,
  auditLines,
  auditRecords,
  filesOf,
  isRefused,
  logLines,
  type Serving,
  serving,
  until,
} from './program.ts'
import { RawConnection } from './raw-connection.ts'

/** Stopping a gateway: nothing that was accepted is lost, nothing new is taken, and a killed one starts again. */

const ROUTES = `
plane: PUBLIC
upstream: app
routes:
  - { id: anything, path: /*, methods: [GET, POST], reason: test }
`

/** Bytes. */
const LARGE = 50_000

/** An upstream whose answers wait until they are let go. `/now` does not wait, `/events` never ends, an upgrade is a WebSocket that echoes. */
async function patientUpstream(test: TestContext) {
  const waiting: ServerResponse[] = []
  const server = createServer((incoming, response) => {
    incoming.resume()
    if (incoming.url === '/now') response.end('now')
    else if (incoming.url === '/large') response.end('E'.repeat(LARGE))
    else if (incoming.url === '/events') response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    else waiting.push(response)
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)).on('error', () => {}))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  test.after(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
    server.closeAllConnections()
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    waiting,
    letGo() {
      for (const response of waiting.splice(0)) response.end('late')
    },
  }
}

async function open(test: TestContext) {
  const upstream = await patientUpstream(test)
  const files = filesOf(test, `upstreams: { app: { targets: ['${upstream.origin}'] } }\n`, ROUTES)
  return { upstream, ...files, gateway: await serving(test, files.file) }
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly requestId: string
}

/** A request on a connection that its client keeps, as browsers and proxies do. */
function ask(agent: Agent, { url }: Serving, path: string, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}${path}`, { agent, method }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, requestId: String(response.headers['x-request-id']) }),
      )
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function keepingAgent(test: TestContext): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 })
  test.after(() => agent.destroy())
  return agent
}

/** A connection that has had one answer already. */
async function keptConnection(test: TestContext, { port }: Serving) {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  test.after(() => socket.destroy())
  let text = ''
  socket.on('data', (chunk) => {
    text += String(chunk)
  })
  socket.write('GET /now HTTP/1.1\r\nHost: a\r\n\r\n')
  await until('the first answer', () => text.includes('now'))
  text = ''
  return {
    /** What comes back until the connection ends. */
    async send(bytes: string): Promise<string> {
      socket.write(bytes)
      await until('the connection ends', () => socket.destroyed)
      return text
    },
  }
}

/** The records of requests, without the lines in which the log speaks of itself. */
const decisionsIn = (folder: string) => auditRecords(folder).filter(({ requestId }) => requestId !== undefined)

const drainingAt = async ({ admin }: Serving): Promise<boolean> => {
  const answer = await fetch(`${admin}/readyz`)
  const { failing } = (await answer.json()) as { failing: { name: string }[] }
  return answer.status === 503 && failing.some(({ name }) => name === 'draining')
}

describe('stopping', { concurrency: 2 }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal} answers everything that was accepted, and nothing else`, async (test) => {
      const { upstream, folder, gateway } = await open(test)
      const agent = keepingAgent(test)
      const idle = await ask(agent, gateway, '/now')
      const answers = Array.from({ length: 20 }, (_, index) =>
        ask(agent, gateway, `/slow/${index}`, index % 2 === 0 ? 'GET' : 'POST', index % 2 === 0 ? '' : 'body'),
      )
      await until('all requests are at the upstream', () => upstream.waiting.length === 20)

      gateway.program.kill(signal)
      await until('readyz says draining', () => drainingAt(gateway))
      await until('new connections are refused', () => isRefused(gateway.port))
      assert.equal((await fetch(`${gateway.admin}/livez`)).status, 200)
      upstream.letGo()
      const letGoAt = performance.now()
      const got = await Promise.all(answers)
      assert.deepEqual(new Set(got.map(({ status, body }) => `${status} ${body}`)), new Set(['200 late']))

      const { code, stdout } = await gateway.program.end()
      assert.equal(code, 0, stdout)
      assert.ok(performance.now() - letGoAt < 5_000, 'connections that their clients keep held the process')
      assert.deepEqual(logLines(stdout).at(-1)?.msg, 'Stopped.')
      const ids = decisionsIn(folder).map(({ requestId }) => requestId)
      assert.deepEqual(ids.toSorted(), [idle, ...got].map(({ requestId }) => requestId).toSorted(), 'one record each')
      assert.ok(await isRefused(gateway.adminPort))
    })
  }

  it('a request that is half sent when it begins is answered too', async (test) => {
    const { upstream, gateway } = await open(test)
    const socket = connect(gateway.port, '127.0.0.1')
    test.after(() => socket.destroy())
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    socket.write('POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo')
    await until('the upstream has it', () => upstream.waiting.length === 1)
    gateway.program.kill('SIGTERM')
    await until('readyz says draining', () => drainingAt(gateway))
    socket.write('dy')
    upstream.letGo()
    await until('it is answered', () => /^HTTP\/1\.1 200 [\s\S]*late/.test(text))
    assert.equal((await gateway.program.end(5_000)).code, 0)
  })

  it('a connection that its client keeps gets a last answer, which says that it is the last; an upgrade gets none', async (test) => {
    const { upstream, gateway } = await open(test)
    const [kept, upgrading] = [await keptConnection(test, gateway), await keptConnection(test, gateway)]
    const holding = ask(keepingAgent(test), gateway, '/slow')
    await until('a request is at the upstream', () => upstream.waiting.length === 1)
    gateway.program.kill('SIGTERM')
    await until('readyz says draining', () => drainingAt(gateway))
    assert.match(
      await kept.send('GET /now HTTP/1.1\r\nHost: a\r\n\r\n'),
      /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*\r\n\r\n/i,
    )
    const upgrade =
      'GET /s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    assert.match(await upgrading.send(upgrade), /^HTTP\/1\.1 503 [\s\S]*"code":"overloaded"/)
    upstream.letGo()
    assert.equal((await holding).status, 200)
    assert.equal((await gateway.program.end(5_000)).code, 0)
  })

  it('a client that reads slowly gets every answer whole', async (test) => {
    const { folder, gateway } = await open(test)
    const socket = connect(gateway.port, '127.0.0.1').pause()
    test.after(() => socket.destroy())
    const asked = 400
    socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(asked))
    await until('the gateway waits for its client', async () => {
      const before = decisionsIn(folder).length
      await new Promise((resolve) => setTimeout(resolve, 100))
      return before > 20 && decisionsIn(folder).length === before
    })
    gateway.program.kill('SIGTERM')
    await until('readyz says draining', () => drainingAt(gateway))
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
    })
    socket.resume()
    await until('the connection ends', () => socket.destroyed)
    assert.equal((await gateway.program.end(5_000)).code, 0)
    const heads = text.split('HTTP/1.1 200 ').length - 1
    assert.equal(heads, decisionsIn(folder).length)
    assert.equal(text.split('E'.repeat(1000)).length - 1, heads * (LARGE / 1000), 'an answer was cut')
  })

  it('an open WebSocket is told to go (1001)', async (test) => {
    const { gateway } = await open(test)
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/socket`)
    test.after(() => socket.terminate())
    const echoed = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))))
    await new Promise<void>((opened, failed) => socket.once('open', () => opened()).once('error', failed))
    socket.send('hello')
    assert.equal(await echoed, 'hello')
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    gateway.program.kill('SIGTERM')
    assert.equal(await closed, 1001)
    assert.equal((await gateway.program.end(5_000)).code, 0)
  })

  it('an open event stream is ended, whole, so that its client can ask elsewhere', async (test) => {
    const { upstream, gateway } = await open(test)
    const streams = await Promise.all(
      ['', 'Connection: close\r\n'].map(async (header) => {
        const stream = await RawConnection.open(test, gateway.port)
        stream.send(`GET /events HTTP/1.1\r\nHost: a\r\n${header}\r\n`)
        await stream.receives(/data: 1\n\n/)
        return stream
      }),
    )
    const slow = ask(keepingAgent(test), gateway, '/slow')
    await until('a request is at the upstream', () => upstream.waiting.length === 1)
    gateway.program.kill('SIGTERM')
    for (const stream of streams) assert.match(await stream.ends(), /\r\n0\r\n\r\n$/)
    upstream.letGo()
    assert.equal((await slow).status, 200, 'what is no stream is answered')
    assert.equal((await gateway.program.end(5_000)).code, 0)
  })

  it('a connection that never sent anything, or half a head, does not hold it', async (test) => {
    const { gateway } = await open(test)
    for (const bytes of ['', 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ']) {
      const socket = connect(gateway.port, '127.0.0.1').on('error', () => {})
      test.after(() => socket.destroy())
      await new Promise<void>((connected) => socket.once('connect', () => connected()))
      if (bytes !== '') socket.write(bytes)
    }
    await fetch(`${gateway.url}/now`)
    gateway.program.kill('SIGTERM')
    assert.equal((await gateway.program.end(8_000)).code, 0)
  })

  it('a second signal ends it at once, a moment after the first', async (test) => {
    const { upstream, gateway } = await open(test)
    const answer = ask(keepingAgent(test), gateway, '/slow').catch(() => 'cut')
    await until('the request is at the upstream', () => upstream.waiting.length === 1)
    gateway.program.kill('SIGINT')
    await until('readyz says draining', () => drainingAt(gateway))
    // The same signal again, as npm passes it on: still one stop.
    gateway.program.kill('SIGINT')
    await until('readyz says draining', () => drainingAt(gateway))
    const again = setInterval(() => gateway.program.kill('SIGINT'), 100)
    test.after(() => clearInterval(again))
    const { code, signal } = await gateway.program.end(5_000)
    clearInterval(again)
    assert.deepEqual([code, signal], [null, 'SIGINT'])
    assert.equal(await answer, 'cut')
  })
})

describe('a killed gateway', () => {
  it('starts again, and the chain of its audit log goes on', async (test) => {
    const { folder, file, gateway } = await open(test)
    for (let index = 0; index < 5; index += 1) await fetch(`${gateway.url}/now`)
    await until('the records are on disk', () => decisionsIn(folder).length === 5)
    gateway.program.kill('SIGKILL')
    assert.equal((await gateway.program.end()).signal, 'SIGKILL')

    const again = await serving(test, file)
    assert.equal((await fetch(`${again.admin}/readyz`)).status, 200)
    await fetch(`${again.url}/now`)
    again.program.kill('SIGTERM')
    assert.equal((await again.program.end()).code, 0)
    assertChained(auditLines(folder), 6)
  })
})

/** Every line has the next number and the digest of the line before it. */
function assertChained(lines: readonly string[], least: number): void {
  assert.ok(lines.length >= least, `${lines.length} records`)
  const records = lines.map((line) => JSON.parse(line) as AuditRecord)
  for (const [index, { seq, prev }] of records.entries()) {
    assert.equal(seq, (records[0]?.seq ?? 0) + index)
    const before = lines[index - 1]
    if (before !== undefined) assert.equal(prev, createHash('sha256').update(before).digest('hex'))
  }
}
