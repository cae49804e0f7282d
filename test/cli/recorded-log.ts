import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logFiles, loggedLines } from '../../src/cli/replay-log.ts'
import { sessions } from '../../src/cli/sessions.ts'
import { candidateOf } from '../../src/composition/candidate.ts'
import { formatFinding } from '../../src/config/finding.ts'
import type { Gateway } from '../../src/config/gateway.ts'
import { loadGateway } from '../../src/config/load.ts'
import type { PastDecision } from '../../src/explain/imagined-record.ts'
import { type Comparison, replayed } from '../../src/explain/imagined-replay.ts'
import { mintApiKey } from '../../src/stores/api-keys/format.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { sqlCredentialStore } from '../../src/stores/sql/sql-credential-store.ts'
import { type ForgingKey, forged, forgingKey, publicJwk } from '../attack/forge.ts'
import { BASICS, gatewayFolder, type RunningGateway, sendRaw, startGateway } from '../support/gateway.ts'
import { recordedIo } from './recorded-io.ts'

/** Two issuers, every kind of route, and one rule of each kind. `{UP}`: the upstream, `{DEAD}`: a port on which nobody listens. */
export const CONFIG = `${BASICS.replace('port: 0 }\nadmin', 'port: 0, maxBodySize: 1KiB }\nadmin')}
invariants: { workerPaths: [/workers/*], adminPaths: [/admin/*] }
limits:
  - { name: few, key: subject, rate: 1/h, burst: 1 }
providers:
  - { name: people, plane: HUMAN, issuer: 'https://people.example', audiences: [api], algorithms: [EdDSA], jwks: { file: ./keys/issuers.json } }
  - { name: robots, plane: MACHINE, issuer: 'https://robots.example', audiences: [api], algorithms: [EdDSA], jwks: { file: ./keys/issuers.json } }
upstreams:
  things: { targets: ['{UP}'] }
  dead: { targets: ['{DEAD}'] }
roles: { viewer: [things:view] }
`

export const ROUTES = `plane: BOTH
upstream: things
routes:
  - { id: things, path: /things/*, methods: [GET, POST], require: { scopes: [things:read] } }
  - { id: people, path: /people/*, plane: HUMAN_ONLY, require: { roles: [viewer] } }
  - { id: views, path: /views, require: { permissions: [things:view] } }
  - { id: robots, path: /robots/*, plane: MACHINE_ONLY, require: { actors: [service] } }
  - { id: gold, path: /gold, require: { claims: { tier: gold } } }
  - { id: jobs, path: /workers/jobs, methods: [POST], plane: MACHINE_ONLY, kind: worker, require: any }
  - { id: batch, path: /v1/workhouse/run, methods: [GET], require: any }
  - { id: users, path: /admin/users, plane: HUMAN_ONLY, kind: admin, require: any }
  - { id: status, path: /status, plane: PUBLIC, reason: open data }
  - { id: pages, path: /pages/*, plane: PUBLIC, reason: open data, cors: { origins: ['https://app.example'] } }
  - { id: few, path: /few, limits: [few], require: any }
  - { id: dead, path: /dead, upstream: dead, require: any }
  - { id: plain, path: /plain, methods: [GET, OPTIONS], require: any }
`

/** What clients present. */
interface Secrets {
  readonly [name: string]: string
}

const UPGRADE = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==`
const PREFLIGHT = 'Access-Control-Request-Method: GET'

/** Id, request line, header lines and body. `{human}`, `{robot}`, `{key}` and the like are replaced. */
export const REQUESTS: readonly (readonly [id: string, line: string, headers?: string, body?: string])[] = [
  ['things-human', 'GET /things/1', 'Authorization: Bearer {human}'],
  ['things-robot', 'GET /things/1?x=1', 'Authorization: Bearer {robot}'],
  ['things-key', 'POST /things/1', 'X-API-Key: {key}'],
  ['things-head', 'HEAD /things/1', 'X-API-Key: {key}'],
  ['things-scopeless', 'GET /things/1', 'Authorization: Bearer {scopeless}'],
  ['things-nobody', 'GET /things/1'],
  ['things-query', 'GET /things/1?access_token=x'],
  ['things-basic', 'GET /things/1', 'Authorization: Basic eDp5'],
  ['things-both', 'GET /things/1', 'Authorization: Bearer {human}\r\nX-API-Key: {key}'],
  ['things-expired', 'GET /things/1', 'Authorization: Bearer {expired}'],
  ['things-stranger', 'GET /things/1', 'Authorization: Bearer {stranger}'],
  ['things-wrong-key', 'GET /things/1', 'X-API-Key: pgk_dev_x'],
  ['things-revoked', 'GET /things/1', 'Authorization: Bearer {revoked}'],
  ['things-delete', 'DELETE /things/1', 'Authorization: Bearer {human}'],
  ['things-in-path', 'GET /things/pgk_dev_0123456789abcdef_x', 'Authorization: Bearer {human}'],
  ['things-spelled', 'GET /things/%7Ea', 'Authorization: Bearer {human}'],
  ['things-long', `GET /things/${'a'.repeat(600)}`, 'Authorization: Bearer {human}'],
  ['things-too-large', 'POST /things/1', 'Authorization: Bearer {human}\r\nContent-Length: 2000'],
  [
    'things-streamed',
    'POST /things/1',
    'Authorization: Bearer {human}\r\nTransfer-Encoding: chunked',
    `7d0\r\n${'a'.repeat(2000)}\r\n0\r\n\r\n`,
  ],
  ['dots', 'GET /things/../admin', 'Authorization: Bearer {human}'],
  ['people-human', 'GET /people/1', 'Authorization: Bearer {human}'],
  ['people-robot', 'GET /people/1', 'Authorization: Bearer {robot}'],
  ['people-key', 'GET /people/1', 'X-API-Key: {key}'],
  ['people-roleless', 'GET /people/1', 'Authorization: Bearer {scopeless}'],
  ['views-human', 'GET /views', 'Authorization: Bearer {human}'],
  ['views-key', 'GET /views', 'X-API-Key: {key}'],
  ['robots-robot', 'GET /robots/1', 'Authorization: Bearer {robot}'],
  ['robots-human', 'GET /robots/1', 'Authorization: Bearer {human}'],
  ['gold-human', 'GET /gold', 'Authorization: Bearer {human}'],
  ['gold-robot', 'GET /gold', 'Authorization: Bearer {robot}'],
  ['gold-key', 'GET /gold', 'X-API-Key: {key}'],
  ['jobs-key', 'POST /workers/jobs', 'X-API-Key: {key}'],
  ['jobs-robot', 'POST /workers/jobs', 'Authorization: Bearer {robot}'],
  ['jobs-get', 'GET /workers/jobs', 'X-API-Key: {key}'],
  ['batch-robot', 'GET /v1/workhouse/run', 'Authorization: Bearer {robot}'],
  ['batch-key', 'GET /v1/workhouse/run', 'X-API-Key: {key}'],
  ['users-human', 'GET /admin/users', 'Authorization: Bearer {human}'],
  ['users-key', 'GET /admin/users', 'X-API-Key: {key}'],
  ['status-nobody', 'GET /status'],
  ['status-human', 'GET /status', 'Authorization: Bearer {human}'],
  ['status-basic', 'GET /status', 'Authorization: Basic eDp5'],
  ['status-junk', 'GET /status', 'Authorization: Bearer junk'],
  ['pages-nobody', 'GET /pages/1', 'Origin: https://app.example'],
  ['pages-preflight', 'OPTIONS /pages/1', `Origin: https://app.example\r\n${PREFLIGHT}`],
  ['pages-foreign-preflight', 'OPTIONS /pages/1', `Origin: https://evil.example\r\n${PREFLIGHT}`],
  ['pages-socket', 'GET /pages/1', `Origin: https://app.example\r\n${UPGRADE}`],
  ['pages-foreign-socket', 'GET /pages/1', `Origin: https://evil.example\r\n${UPGRADE}`],
  ['plain-options', 'OPTIONS /plain', 'Authorization: Bearer {human}'],
  ['plain-preflight', 'OPTIONS /plain', `Origin: https://app.example\r\n${PREFLIGHT}`],
  ['plain-socket', 'GET /plain', `Authorization: Bearer {human}\r\nOrigin: https://evil.example\r\n${UPGRADE}`],
  ['few-once', 'GET /few', 'Authorization: Bearer {human}'],
  ['few-twice', 'GET /few', 'Authorization: Bearer {human}'],
  ['dead-human', 'GET /dead', 'Authorization: Bearer {human}'],
  ['unknown', 'GET /nothing/here', 'Authorization: Bearer {human}'],
  ['unknown-nobody', 'GET /later'],
  ['unknown-case', 'GET /VIEWS', 'Authorization: Bearer {human}'],
  ['keys-of-gateway', 'GET /.well-known/jwks.json'],
]

/** An upstream that answers whatever comes, WebSockets too, and ends. */
async function startUpstream(): Promise<Server> {
  const server = createServer((request, response) => {
    request.on('error', () => {})
    request.resume().on('end', () => response.end('ok'))
  })
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {})
    socket.end(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** A decision as the log has it, without who and when. */
export interface Decided {
  readonly decision: unknown
  readonly code: unknown
  readonly route: unknown
}

/** A place with issuers, keys and an upstream, in which one configuration after another is run and asked the same. */
export class Stage {
  readonly folder: string
  readonly #upstream: Server
  readonly #secrets: Secrets
  readonly #running: RunningGateway[] = []
  #copies = 0

  private constructor(folder: string, upstream: Server, secrets: Secrets) {
    this.folder = folder
    this.#upstream = upstream
    this.#secrets = secrets
  }

  static async set(): Promise<Stage> {
    const upstream = await startUpstream()
    const base = mkdtempSync(join(tmpdir(), 'planegate-replay-'))
    const people = forgingKey('EdDSA', 'people')
    const { folder } = gatewayFolder('', {})
    cpSync(folder, join(base, 'base'), { recursive: true })
    rmSync(folder, { recursive: true })
    writeFileSync(join(base, 'base', 'keys', 'issuers.json'), JSON.stringify({ keys: [publicJwk(people)] }))
    const stage = new Stage(base, upstream, secretsOf(people))
    const file = stage.write('base', CONFIG, ROUTES)
    const io = recordedIo()
    if ((await sessions(['revoke', '--sid', 'revoked', '--config', file], io)) !== 0) throw new Error(io.written.err)
    Object.assign(stage.#secrets, { key: await createKey(stage.gateway(file)) })
    return stage
  }

  /** Writes a configuration into a copy of the place; gives its gateway.yaml. */
  write(name: string, config: string, routes: string): string {
    const folder = join(this.folder, name)
    if (name !== 'base') cpSync(join(this.folder, 'base'), folder, { recursive: true })
    const { port } = this.#upstream.address() as AddressInfo
    const filled = config.replace('{UP}', `http://127.0.0.1:${port}`).replace('{DEAD}', 'http://127.0.0.1:1')
    writeFileSync(join(folder, 'gateway.yaml'), filled)
    writeFileSync(join(folder, 'routes', 'main.yaml'), routes)
    return join(folder, 'gateway.yaml')
  }

  gateway(file: string): Gateway {
    const loaded = loadGateway(file)
    if (!loaded.ok) throw new Error(loaded.mistakes.map(formatFinding).join('\n'))
    return loaded.gateway
  }

  /** Runs a gateway, sends it everything, and gives its log. */
  async log(config: string, routes: string): Promise<string> {
    this.#copies += 1
    const file = this.write(`run-${this.#copies}`, config, routes)
    const folder = join(this.folder, `run-${this.#copies}`)
    const running = await startGateway({ folder, file })
    this.#running.push(running)
    for (const [id, line, headers = '', body = ''] of REQUESTS) await this.#send(running, id, line, headers, body)
    // Records are written in the order of the answers, each of which was waited for.
    await running.records(REQUESTS.at(-1)?.[0])
    const kept = join(this.folder, `log-${this.#copies}`)
    cpSync(join(folder, 'data', 'audit'), kept, { recursive: true })
    return kept
  }

  async close(): Promise<void> {
    for (const running of this.#running) await running.stop()
    this.#upstream.close()
    this.#upstream.closeAllConnections()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #send(running: RunningGateway, id: string, line: string, headers: string, body: string): Promise<void> {
    const filled = headers.replace(/\{(\w+)\}/g, (_, name: string) => this.#secrets[name] ?? '')
    const lines = [`${line} HTTP/1.1`, 'Host: api.example', `X-Request-Id: ${id}`, ...(filled === '' ? [] : [filled])]
    const close = filled.includes('Upgrade:') ? [] : ['Connection: close']
    // A body that is announced and never comes keeps the connection open for a while.
    const waitForClose = !headers.includes('Content-Length')
    await sendRaw(running.port, `${[...lines, ...close].join('\r\n')}\r\n\r\n${body}`, {
      waitForClose,
    })
  }
}

function secretsOf(key: ForgingKey): Secrets {
  const now = Math.floor(Date.now() / 1000)
  const token = (iss: string, claims: object) =>
    forged(key, { alg: 'EdDSA', typ: 'at+jwt', kid: 'people' }, { iss, aud: 'api', iat: now, exp: now + 3600, ...claims })
  const human = { sub: 'alice', sid: 's-1', scope: 'things:read', roles: ['viewer'], tier: 'gold' }
  return {
    human: token('https://people.example', human),
    scopeless: token('https://people.example', { sub: 'bob', sid: 's-2' }),
    expired: token('https://people.example', { ...human, iat: now - 7200, exp: now - 3600 }),
    revoked: token('https://people.example', { ...human, sid: 'revoked' }),
    robot: token('https://robots.example', { sub: 'reporter', scope: 'things:read' }),
    stranger: token('https://stranger.example', human),
  }
}

async function createKey({ stores }: Gateway): Promise<string> {
  const database = await openDatabase(stores.database)
  const store = sqlCredentialStore(database, { clock: { now: Date.now, monotonic: () => performance.now() } })
  const { id, digest, key } = mintApiKey('dev')
  const none = { cidrs: [], expiresAt: null, revokedAt: null, replacedBy: null }
  await store.createApiKey({ id, digest, owner: 'acme', scopes: ['things:read'], createdAt: Date.now(), ...none }, 'test')
  store.close()
  await database.close()
  return key
}

/** Every decision of a log, by request. */
export async function decisions(log: string): Promise<Map<string, PastDecision>> {
  const found = new Map<string, PastDecision>()
  for (const file of await logFiles(log))
    for await (const line of loggedLines(file)) if (line.kind === 'decision') found.set(line.decision.requestId, line.decision)
  return found
}

/** What comes of every decision of a log under another configuration, by request. */
export async function replayOf(log: string, gateway: Gateway, was: Gateway | null = null): Promise<Map<string, Comparison>> {
  const candidate = candidateOf(gateway, was)
  const found = new Map<string, Comparison>()
  for (const [id, past] of await decisions(log)) found.set(id, await replayed(past, candidate))
  return found
}
