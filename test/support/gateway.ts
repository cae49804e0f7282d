import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildGateway } from '../../src/build.ts'
import { formatFinding } from '../../src/config/finding.ts'
import { loadGateway } from '../../src/config/load.ts'
import { resolveAdminToken } from '../../src/config/secret-reference.ts'
import { createLogger } from '../../src/telemetry/logger.ts'

/** A request as an upstream saw it: everything, in the order it came. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly trailers: readonly string[]
}

/** An upstream that records everything it receives and answers with it. */
export class RecordingUpstream {
  readonly seen: Seen[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<RecordingUpstream> {
    const server = createServer()
    const upstream = new RecordingUpstream(server)
    const record = (request: Parameters<Parameters<typeof createServer>[1] & object>[0], body: string) => {
      const { method = '', url = '', rawHeaders, headers, rawTrailers } = request
      upstream.seen.push({ method, url, rawHeaders, headers, body, trailers: rawTrailers })
    }
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      record(request, Buffer.concat(chunks).toString('latin1'))
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ url: request.url, headers: request.headers }))
    })
    server.on('upgrade', (request, socket) => {
      record(request, '')
      socket.on('error', () => {})
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return upstream
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

/** A gateway that listens on free ports, with its files in a folder of its own. */
export interface RunningGateway {
  readonly url: string
  readonly admin: string
  readonly port: number
  readonly folder: string
  readonly file: string
  /** Every log line so far. */
  readonly log: string[]
  /** The audit records written so far: once that of `requestId` is there, or once nothing more comes. */
  records(requestId?: string): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
}

/** Writes the files of a gateway: `config` is gateway.yaml without what every gateway needs, `routes` one route-plane file each. */
export function gatewayFolder(config: string, routes: Readonly<Record<string, string>>): { folder: string; file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'planegate-'))
  mkdirSync(join(folder, 'routes'))
  mkdirSync(join(folder, 'keys'))
  for (const name of ['identity', 'audit']) {
    const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    writeFileSync(join(folder, 'keys', `${name}.pem`), key, { mode: 0o600 })
  }
  const file = join(folder, 'gateway.yaml')
  writeFileSync(file, config)
  for (const [name, text] of Object.entries(routes)) writeFileSync(join(folder, 'routes', `${name}.yaml`), text)
  return { folder, file }
}

/** What every test gateway says unless it says it itself. Ports are free ones; the keys are the folder's. */
export const BASICS = `
environment: development
publicOrigin: http://127.0.0.1:8080
server: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
routes: ./routes
development: { issuer: true }
identity: { key: { file: ./keys/identity.pem } }
stores: { database: { url: 'sqlite:./data/planegate.db' } }
audit: { directory: ./data/audit, key: { file: ./keys/audit.pem } }
`

/** Builds and starts a gateway in this process, from real files. */
export async function startGateway({ folder, file }: { folder: string; file: string }): Promise<RunningGateway> {
  const loaded = loadGateway(file)
  if (!loaded.ok) throw new Error(loaded.mistakes.map(formatFinding).join('\n'))
  const log: string[] = []
  const { token } = loaded.gateway.admin
  const built = await buildGateway(
    loaded.gateway,
    createLogger({ level: 'info', stream: { write: (line: string) => void log.push(line) } }),
    token === null ? null : resolveAdminToken(token, process.env),
  )
  await built.start()
  await built.adminListener.listen({ host: '127.0.0.1', port: 0 })
  await built.publicListener.listen({ host: '127.0.0.1', port: 0 })
  const portOf = (listener: typeof built.publicListener) => (listener.server.address() as AddressInfo).port
  const port = portOf(built.publicListener)
  return {
    url: `http://127.0.0.1:${port}`,
    admin: `http://127.0.0.1:${portOf(built.adminListener)}`,
    port,
    folder,
    file,
    log,
    records: (requestId) => auditRecords(join(folder, 'data', 'audit'), requestId),
    async stop() {
      built.drain()
      built.publicListener.server.closeAllConnections()
      await built.publicListener.close()
      await built.adminListener.close()
      await built.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Reads the log until the requests named are in it, or until two looks in a row find the same: records are written within milliseconds. */
async function auditRecords(directory: string, requestId?: string): Promise<Record<string, unknown>[]> {
  let before = ''
  for (const deadline = performance.now() + 5_000; performance.now() < deadline; ) {
    const now = auditText(directory)
    if (requestId !== undefined ? now.includes(`"requestId":"${requestId}"`) : now !== '' && now === before) return parsed(now)
    before = now
    await new Promise((resolve) => setTimeout(resolve, requestId === undefined ? 50 : 2))
  }
  return parsed(before)
}

/** Only whole lines: the last one may be on its way. */
function auditText(directory: string): string {
  const text = readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('')
  return text.slice(0, text.lastIndexOf('\n') + 1)
}

/** Without the lines in which the log speaks of its own files, and of the configuration. */
function parsed(text: string): Record<string, unknown>[] {
  const lines = text.split('\n').slice(0, -1)
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  return records.filter(({ event }) => !OWN_EVENTS.has(String(event)))
}

const OWN_EVENTS = new Set(['segment', 'configuration', 'checkpoint', 'compressed', 'closed'])

/** An answer read off a raw socket. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Everything that came, further answers included. */
  readonly text: string
}

/** Sends bytes as they are, which no client library would, and reads until the connection ends or the answer is whole. */
export function sendRaw(port: number, bytes: string, { waitForClose = false } = {}): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    let text = ''
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(parseAnswer(text))
    }
    const timer = setTimeout(() => {
      socket.destroy()
      reject(
        new Error(`no whole answer within 10 s to ${JSON.stringify(bytes.slice(0, 200))}: ${JSON.stringify(text.slice(0, 200))}`),
      )
    }, 10_000)
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (!waitForClose && isWhole(text)) finish()
    })
    socket.on('error', () => finish())
    socket.on('close', () => finish())
  })
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1]
  return length !== undefined ? text.length >= end + 4 + Number(length) : /\r\n0\r\n\r\n$/.test(text)
}

function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return { status: Number(statusLine.split(' ')[1] ?? 0), headers, body: rest.join('\r\n\r\n'), text }
}
