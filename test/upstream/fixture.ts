import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Route } from '../../src/domain/route.ts'
import type { Upstream } from '../../src/domain/upstream.ts'
import { Connections } from '../../src/http/connections.ts'
import { createListener, openDoors } from '../../src/http/listener.ts'
import type { Pipeline } from '../../src/pipeline/pipeline.ts'
import type { Refusal } from '../../src/problem/refusal.ts'
import type { Standing } from '../../src/upstream/credential-standing.ts'
import { type Forwarding, type ForwardingOptions, registerForwarding } from '../../src/upstream/proxy.ts'
import { pipelineFor, route, type Written } from '../support/requests.ts'

export const MiB = 1_048_576

export interface GatewaySetup {
  readonly targets: readonly string[]
  readonly timeouts?: Partial<Upstream['timeouts']>
  readonly connections?: number
  readonly routes?: readonly Partial<Route>[]
  readonly pipeline?: Partial<Pipeline>
  readonly forwarding?: Partial<ForwardingOptions>
  /** Of open streams' credentials; good for ever when absent. */
  readonly standing?: Standing
}

export interface Gateway {
  readonly port: number
  readonly written: Written
  readonly refusals: Refusal[]
  readonly forwarding: Forwarding
  readonly listener: FastifyInstance
}

/** The real listener, the real gate and the real pipeline over in-process ports, in front of the given targets. Closed with the test. */
export async function startGateway(t: TestContext, setup: GatewaySetup): Promise<Gateway> {
  const upstream: Upstream = {
    name: 'things',
    targets: setup.targets,
    audience: 'things',
    timeouts: { connect: 1_000, headers: 5_000, idle: 5_000, ...setup.timeouts },
    connections: setup.connections ?? 64,
  }
  const maxBodySize = setup.pipeline?.maxBodySize ?? 200 * MiB
  const routes = (setup.routes ?? [{}]).map((one, index) =>
    route({ id: `route-${index}`, path: '/*', methods: [...http.METHODS], ...one }),
  )
  const { pipeline, written } = pipelineFor(routes, {
    clock: { now: Date.now, monotonic: () => performance.now() },
    ...setup.pipeline,
    maxBodySize,
  })
  const refusals: Refusal[] = []
  const listener = createListener({ requestTimeout: 60_000, logger: pino({ level: 'silent' }) as unknown as FastifyBaseLogger })
  const { apiKeyHeader, meter } = pipeline
  const doors = {
    pipeline,
    upstreams: new Map([['things', upstream]]),
    endpoints: new Map(),
    observe: (refusal: Refusal) => refusals.push(refusal),
    readAddress: () => ({
      address: '192.0.2.7',
      origin: { addresses: ['192.0.2.7'], proto: 'http' as const, host: 'api.example.com:8080' },
      malformed: null,
    }),
    connections: new Connections(),
  }
  const forwarding = registerForwarding(listener, {
    upstreams: [upstream],
    headerRules: pipeline,
    apiKeyHeader,
    identityHeader: 'X-Planegate-Assertion',
    maxBodySize,
    meter,
    streams: { standing: setup.standing ?? (() => null), auditLog: pipeline.auditLog, clock: pipeline.clock },
    ...setup.forwarding,
  })
  openDoors(listener, doors, forwarding)
  await listener.listen({ host: '127.0.0.1', port: 0 })
  t.after(async () => {
    listener.server.closeAllConnections()
    await listener.close()
  })
  return { port: (listener.server.address() as AddressInfo).port, written, refusals, forwarding, listener }
}

/** A real upstream. Closed with the test. */
export async function startUpstream(
  t: TestContext,
  answer: http.RequestListener,
): Promise<{ origin: string; server: http.Server }> {
  const server = http.createServer({ requestTimeout: 0 }, answer)
  return { origin: `http://127.0.0.1:${await listen(t, server)}`, server }
}

/** An upstream that speaks bytes. `answer` is called with each connection and what it sent first. */
export async function startRawUpstream(t: TestContext, answer: (socket: net.Socket, request: Buffer) => void): Promise<string> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (request: Buffer) => answer(socket, request))
  })
  return `http://127.0.0.1:${await listen(t, server)}`
}

export async function listen(t: TestContext, server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

/** A port that nothing listens on. */
export async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly trailers: NodeJS.Dict<string>
  readonly body: string
}

export interface Question extends http.RequestOptions {
  readonly body?: string | Buffer
}

export const HUMAN = { authorization: 'Bearer human' }

/** Asks the gateway and takes the whole answer. Rejects when the answer is cut. */
export async function ask(gateway: Gateway, path: string, { body, ...options }: Question = {}): Promise<Answer> {
  const request = http.request({ host: '127.0.0.1', port: gateway.port, path, agent: false, headers: HUMAN, ...options })
  // Until the answer `once` hears errors; afterwards the gateway may be closed under a body that is still being sent.
  request.on('error', () => {})
  request.end(body)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return take(response)
}

export async function take(response: http.IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const { statusCode = 0, headers, rawHeaders, trailers } = response
  return { status: statusCode, headers, rawHeaders, trailers, body: Buffer.concat(chunks).toString('latin1') }
}

/** Sends bytes as they are and takes everything until the gateway closes. */
export async function askRaw(gateway: Gateway, bytes: string): Promise<string> {
  const socket = net.connect(gateway.port, '127.0.0.1')
  socket.on('error', () => {})
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  socket.write(bytes, 'latin1')
  await new Promise((resolve) => socket.once('close', resolve))
  return received
}

/** Waits until something holds, for five seconds at most. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5_000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Waits until a number above zero has stood still for a quarter of a second. */
export async function settled(read: () => number, what: string): Promise<number> {
  let value = read()
  let since = performance.now()
  await until(() => {
    if (read() !== value || value === 0) {
      value = read()
      since = performance.now()
    }
    return performance.now() - since > 250
  }, what)
  return value
}

/** The code of a problem answer. */
export function codeOf({ body }: Answer): string {
  return (JSON.parse(body) as { code: string }).code
}

/** Header names in lower case with all their values. */
export function headerMap(rawHeaders: readonly string[]): Map<string, string[]> {
  const map = new Map<string, string[]>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase()
    map.set(name, [...(map.get(name) ?? []), rawHeaders[index + 1] as string])
  }
  return map
}
