import assert from 'node:assert/strict'
import { Agent, type ClientRequest, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { AuditDirectory, publicKeyOf } from './audit-log.ts'
import { filesOf, run, type Serving, serving, until } from './program.ts'

/** SIGTERM while hundreds of requests are under way: each is answered, and is in the log once. */

const ROUTES = `
plane: PUBLIC
upstream: app
routes:
  - { id: work, path: /work/*, methods: [GET, POST], reason: test }
`
const CONNECTIONS = 200
/** Milliseconds that the upstream takes, at most. */
const SLOWEST = 600

/** An upstream that takes its time, and knows what it was asked. */
async function slowUpstream(test: TestContext) {
  const seen: string[] = []
  const server = createServer((incoming, response) => {
    seen.push(incoming.url ?? '')
    incoming.resume()
    setTimeout(() => response.end('done'), Math.random() * SLOWEST)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  test.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { seen, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

interface Sent {
  readonly path: string
  readonly outgoing: ClientRequest
  /** When it was whole in the hands of the operating system, on a connection that had had an answer before. */
  at: number | null
  status: number | null
  hungUp: boolean
}

/** Clients that keep their connections and ask again and again; now and then one hangs up. */
class Clients {
  readonly sent: Sent[] = []
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  readonly #serving: Serving
  readonly #working: Promise<unknown>

  constructor(test: TestContext, gateway: Serving) {
    this.#serving = gateway
    test.after(() => this.#agent.destroy())
    this.#working = Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => this.#client(index)))
  }

  /** Resolves when the gateway takes no more requests. */
  gone(): Promise<unknown> {
    return this.#working
  }

  async #client(index: number): Promise<void> {
    for (let number = 0; ; number += 1) {
      // One in ten is refused by the gateway itself.
      const place = number % 10 === 9 ? 'nowhere' : 'work'
      if (!(await this.#ask(`/${place}/${index}/${number}`, number % 3 === 0 ? 'POST' : 'GET'))) return
      await delay(Math.random() * 20)
    }
  }

  /** False: the gateway is gone. */
  #ask(path: string, method: string): Promise<boolean> {
    return new Promise((resolve) => {
      const outgoing = request(`${this.#serving.url}${path}`, { agent: this.#agent, method }, (response) => {
        sent.status = response.statusCode ?? 0
        response.resume().on('close', () => resolve(true))
      })
      const sent: Sent = { path, outgoing, at: null, status: null, hungUp: false }
      this.sent.push(sent)
      outgoing.on('finish', () => {
        if (outgoing.reusedSocket) sent.at = performance.now()
        if (Math.random() > 0.02) return
        sent.hungUp = true
        setTimeout(() => outgoing.destroy(), Math.random() * 100)
      })
      outgoing.on('error', () => resolve(sent.hungUp))
      outgoing.end(method === 'POST' ? 'body' : undefined)
    })
  }
}

it('SIGTERM under load: no accepted request is lost, each has one record, and the log ends as it should', async (test) => {
  const upstream = await slowUpstream(test)
  const { folder, file } = filesOf(test, `upstreams: { app: { targets: ['${upstream.origin}'] } }\n`, ROUTES)
  const gateway = await serving(test, file)
  const clients = new Clients(test, gateway)
  await until('every connection had answers', () => clients.sent.filter(({ status }) => status !== null).length > 4 * CONNECTIONS)
  const stoppedAt = performance.now()
  gateway.program.kill('SIGTERM')
  const [{ code, stdout }] = await Promise.all([gateway.program.end(), clients.gone()])
  assert.equal(code, 0, stdout)

  const owed = clients.sent.filter(({ at, hungUp }) => at !== null && at < stoppedAt && !hungUp)
  assert.deepEqual(
    owed.filter(({ status }) => status === null).map(({ path }) => path),
    [],
    'a request was accepted and not answered',
  )
  assert.ok(
    clients.sent.filter(({ at }) => at !== null && at > stoppedAt - SLOWEST / 2).length > CONNECTIONS / 4,
    'there was no load',
  )

  const log = new AuditDirectory(join(folder, 'data', 'audit'))
  const lines = await log.lines()
  const recorded = lines.flatMap(({ path }) => (typeof path === 'string' ? [path] : []))
  assert.equal(new Set(recorded).size, recorded.length, 'a request was recorded twice')
  const seen = [...upstream.seen, ...clients.sent.filter(({ status }) => status !== null).map(({ path }) => path)]
  assert.deepEqual(
    [...new Set(seen)].filter((path) => !new Set(recorded).has(path)),
    [],
    'a request is not in the log',
  )
  const gone = clients.sent.filter(({ status, hungUp }) => status === null && !hungUp).map(({ path }) => path)
  assert.deepEqual(
    recorded.filter((path) => gone.includes(path)),
    [],
    'a request is in the log and its client never got an answer',
  )

  const { covered } = await log.holds([publicKeyOf(join(folder, 'keys', 'audit.pem'))])
  assert.deepEqual([lines.at(-1)?.event, lines.at(-1)?.seq], ['closed', covered])
  const verified = await run(test, ['audit', 'verify', log.directory, '--key', join(folder, 'keys', 'audit.pem')])
  assert.equal(verified.code, 0, verified.stdout)
  test.diagnostic(`${clients.sent.length} requests sent, ${recorded.length} recorded, ${owed.length} owed an answer`)
})
