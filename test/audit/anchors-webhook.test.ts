import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { createGzip } from 'node:zlib'
import { webhookAnchor } from '../../src/audit/anchors/webhook-anchor.ts'
import { checkpoint } from './notes.ts'

const LOG = 'gateway.example.com/0f1e2d'
const NOTE = checkpoint(LOG, 5)

type Answer = (response: ServerResponse, request: IncomingMessage) => void

async function receiver(test: TestContext, answer: Answer) {
  const seen: { method: string | undefined; url: string | undefined; headers: IncomingMessage['headers']; body: string }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method, url, headers } = request
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
    answer(response, request)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.after(async () => {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { seen, origin: `http://127.0.0.1:${address.port}` }
}

function* zeros(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024)
}

const SECRET = 'a-secret-in-the-path'

describe('webhook anchor', () => {
  for (const status of [200, 201, 202, 204]) {
    it(`takes ${status} for kept`, async (test) => {
      const { seen, origin } = await receiver(test, (response) => response.writeHead(status).end())
      const anchor = webhookAnchor(`${origin}/hook?log=1`)
      await anchor.put(NOTE, LOG)
      assert.equal(seen.length, 1)
      const [{ method, url, body, headers } = assert.fail()] = seen
      assert.deepEqual([method, url, body], ['POST', '/hook?log=1', NOTE])
      assert.deepEqual([headers['content-type'], headers['planegate-log']], ['text/plain; charset=utf-8', LOG])
      assert.equal(await anchor.latest(LOG), null)
      assert.equal(seen.length, 1)
    })
  }

  const unkept: Readonly<Record<string, readonly [Answer, RegExp]>> = {
    'an error': [(response) => response.writeHead(500).end('no'), /it answered 500\.$/],
    'a refusal': [(response) => response.writeHead(403).end(), /it answered 403\.$/],
    'a reset': [(response) => response.destroy(), /it cannot be reached \([A-Z_]+\)\.$/],
    silence: [() => {}, /it did not answer in time\.$/],
    'what is no HTTP': [(_, request) => request.socket.end('hello\r\n\r\n'), /it cannot be reached[^/]*\.$/],
  }
  for (const [name, [answer, message]] of Object.entries(unkept)) {
    it(`rejects after ${name}, without path and query in the sentence`, async (test) => {
      const { origin } = await receiver(test, answer)
      const put = webhookAnchor(`${origin}/${SECRET}?t=${SECRET}`, { timeoutMs: 300 }).put(NOTE, LOG)
      await assert.rejects(put, (error: Error) => {
        assert.match(error.message, message)
        assert.ok(error.message.startsWith(origin))
        assert.ok(!JSON.stringify([error.message, error.stack, error.cause]).includes(SECRET))
        return true
      })
    })
  }

  for (const status of [301, 302, 303, 307, 308]) {
    it(`does not follow ${status}`, async (test) => {
      const elsewhere = await receiver(test, (response) => response.writeHead(204).end())
      const { origin } = await receiver(test, (response) => response.writeHead(status, { location: elsewhere.origin }).end())
      await assert.rejects(webhookAnchor(origin).put(NOTE, LOG), { message: new RegExp(`it answered ${status}\\.$`) })
      assert.equal(elsewhere.seen.length, 0)
    })
  }

  for (const encoding of ['identity', 'gzip']) {
    it(`does not wait for the end of an answer, and leaves it: ${encoding}`, async (test) => {
      const gone: Promise<unknown>[] = []
      const { origin } = await receiver(test, (response) => {
        gone.push(once(response, 'close'))
        response.writeHead(200, { 'content-encoding': encoding })
        const endless = Readable.from(zeros())
        const packed = encoding === 'gzip' ? endless.pipe(createGzip()) : endless
        packed.pipe(response)
        response.once('close', () => endless.destroy())
      })
      await webhookAnchor(origin).put(NOTE, LOG)
      assert.equal(gone.length, 1)
      await Promise.all(gone)
    })
  }

  it('rejects when nobody listens', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    await new Promise((closed) => server.close(closed))
    await assert.rejects(once(connect(address.port, '127.0.0.1'), 'connect'))
    const put = webhookAnchor(`http://127.0.0.1:${address.port}/${SECRET}`).put(NOTE, LOG)
    await assert.rejects(put, {
      message: `http://127.0.0.1:${address.port} did not take the checkpoint: it cannot be reached (ECONNREFUSED).`,
    })
  })

  it('does not repeat an address that cannot be used', async () => {
    const put = webhookAnchor(`http://user:${SECRET}@127.0.0.1:1/`).put(NOTE, LOG)
    await assert.rejects(put, (error: Error) => !`${error.message} ${error.stack} ${error.cause}`.includes(SECRET))
  })
})
