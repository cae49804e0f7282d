import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { WebSocketServer } from 'ws'
import { type Browser, findOrInstallChromium } from '../../scripts/chromium.ts'
import { loadGateway } from '../../src/config/load.ts'
import { developmentIssuerOptions, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'
import { BASICS, gatewayFolder, type RunningGateway, startGateway } from '../support/gateway.ts'

/** A real browser calls the gateway across origins: what it lets a page do and read is what counts, not which headers were sent. */

/** Milliseconds for the browser to start and the page to finish; it takes about two seconds on an idle machine. */
const DEADLINE = 90_000
/** Without what a browser does on its own account: it talks to nobody but 127.0.0.1. */
const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--no-proxy-server',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-sync',
  '--disable-breakpad',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

/** What became of one call, as the page saw it. */
interface Outcome {
  /** Name of the error that the page got instead of an answer. */
  readonly error?: string
  readonly status?: number
  readonly body?: Record<string, unknown>
  readonly headers?: Readonly<Record<string, string>>
}

type Outcomes = Readonly<Record<'success' | 'simple' | 'refused' | 'forged' | 'method' | 'header' | 'socket', Outcome>>

let browser: Browser
let upstream: Server
let gateway: RunningGateway
let declared: PageServer
let undeclared: PageServer
let token = ''
const seen: IncomingMessage[] = []

before(async () => {
  browser = await findOrInstallChromium()
  upstream = createServer((request, response) => {
    seen.push(request)
    const lenient = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*', 'x-internal': 'value' }
    response.writeHead(200, { 'content-type': 'application/json', ...lenient }).end(JSON.stringify({ hello: 'page' }))
  })
  new WebSocketServer({ server: upstream }).on('connection', (socket) => socket.send('hello'))
  await listening(upstream)
  declared = await PageServer.start()
  undeclared = await PageServer.start()
  const files = gatewayFolder(
    `${BASICS}
upstreams: { things: { targets: ['${originOf(upstream)}'] } }
limits: [{ name: per-subject, key: subject, rate: 600/min }]
`,
    {
      things: `
plane: HUMAN_ONLY
upstream: things
routes:
  - id: notes
    path: /notes/*
    methods: [GET, PUT, DELETE]
    limits: [per-subject]
    require: any
    cors: { origins: ['${declared.origin}'], methods: [GET, PUT] }
  - { id: socket, path: /socket, plane: PUBLIC, reason: test, cors: { origins: ['${declared.origin}'] } }
`,
    },
  )
  const loaded = loadGateway(files.file)
  assert.ok(loaded.ok)
  token = openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway)).sign({ sub: 'alice', plane: 'human', sid: 's-1' })
  gateway = await startGateway(files)
})

after(async () => {
  for (const server of [upstream, declared.server, undeclared.server]) {
    server.close()
    server.closeAllConnections()
  }
  await gateway.stop()
})

test('a page of a declared origin asks first, calls, and can read answers and refusals', async (t) => {
  if ('missing' in browser) return t.skip(browser.missing)
  seen.length = 0
  const page = await declared.visit(t, browser.path)

  assert.equal(page.success.status, 200)
  assert.deepEqual(page.success.body, { hello: 'page' })
  assert.match(page.success.headers?.['x-request-id'] ?? '', /^[0-9a-f-]{36}$/)
  assert.match(page.success.headers?.ratelimit ?? '', /^"per-subject";r=/)
  assert.equal(page.success.headers?.['x-internal'], undefined, 'the upstream decides what a page may read')

  for (const [outcome, code, challenge] of [
    [page.refused, 'credential-missing', 'Bearer'],
    [page.simple, 'credential-missing', 'Bearer'],
    [page.forged, 'credential-invalid', 'Bearer error="invalid_token"'],
  ] as const) {
    assert.equal(outcome.status, 401)
    assert.equal(outcome.body?.code, code)
    assert.match(outcome.headers?.['content-type'] ?? '', /^application\/problem\+json/)
    assert.equal(outcome.headers?.['x-request-id'], outcome.body?.requestId)
    assert.equal(outcome.headers?.['www-authenticate'], challenge)
  }
  assert.deepEqual([page.method.error, page.header.error], ['TypeError', 'TypeError'])
  assert.deepEqual(page.socket, { body: { hello: true } })

  assert.deepEqual(
    seen.map(({ method, url }) => `${method} ${url}`),
    ['PUT /notes/1'],
  )
  for (const { headers } of seen) assert.equal(headers.authorization, undefined)
})

test('the preflights were decided and recorded like everything else', async (t) => {
  if ('missing' in browser) return t.skip(browser.missing)
  const records = (await gateway.records()).filter((record) => record.method === 'OPTIONS')
  const told = new Set(records.map(({ route, status, reason }) => `${route} ${status} ${reason}`))
  assert.deepEqual([...told].sort(), ['notes 204 cors-preflight', 'notes 403 cors-headers', 'notes 403 cors-method'])
})

test('a page of an undeclared origin is told nothing, and what it would have done is not done', async (t) => {
  if ('missing' in browser) return t.skip(browser.missing)
  seen.length = 0
  const page = await undeclared.visit(t, browser.path)
  for (const name of ['success', 'simple', 'refused', 'forged', 'method', 'header'] as const)
    assert.deepEqual(page[name], { error: 'TypeError' }, name)
  assert.deepEqual(page.socket, { error: 'closed' })
  assert.deepEqual(seen, [])
})

/** Serves the page from an origin of its own, and takes its report. */
class PageServer {
  readonly server: Server
  #report: ((outcomes: Outcomes) => void) | null = null

  private constructor() {
    this.server = createServer(async (request, response) => {
      if (request.method === 'POST') {
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk as Buffer)
        response.writeHead(204).end()
        this.#report?.(JSON.parse(Buffer.concat(chunks).toString()))
      } else if (request.url === '/') {
        response.writeHead(200, { 'content-type': 'text/html' }).end(`<script type="module">${pageScript()}</script>`)
      } else response.writeHead(404).end()
    })
  }

  static async start(): Promise<PageServer> {
    const page = new PageServer()
    await listening(page.server)
    return page
  }

  get origin(): string {
    return originOf(this.server)
  }

  /** Opens the page in a browser without a history, and waits until it has made all its calls. */
  async visit(t: TestContext, path: string): Promise<Outcomes> {
    const profile = mkdtempSync(join(tmpdir(), 'planegate-browser-'))
    const reported = new Promise<Outcomes>((resolve) => {
      this.#report = resolve
    })
    const options = { stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'] }
    const arguments_ = [...QUIET, `--user-data-dir=${profile}`, '--remote-debugging-port=0', `${this.origin}/`]
    const child = spawn(path, arguments_, options)
    const closed = once(child, 'close')
    let complaints = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text
    })
    t.after(async () => {
      child.kill('SIGTERM')
      await closed
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, DEADLINE, `the page did not report within ${DEADLINE} ms`)
    })
    const first = await Promise.race([reported, late, closed.then(() => 'the browser ended before the page had reported')])
    clearTimeout(timer)
    if (typeof first === 'string') assert.fail(`${first}:\n${complaints}`)
    return first
  }
}

/** What the page does: one call after the other, so that their order is the order in which the upstream sees them. */
function pageScript(): string {
  return `
const authorization = 'Bearer ${token}'
const outcomes = {}
async function call(name, method, headers) {
  try {
    const response = await fetch('${gateway.url}/notes/1', { method, headers })
    const { status } = response
    outcomes[name] = { status, headers: Object.fromEntries(response.headers), body: await response.json() }
  } catch (error) {
    outcomes[name] = { error: error.name }
  }
}
await call('success', 'PUT', { authorization, 'content-type': 'application/json' })
await call('simple', 'GET', {})
await call('refused', 'PUT', {})
await call('forged', 'GET', { authorization: 'Bearer forged' })
await call('method', 'DELETE', { authorization })
await call('header', 'PUT', { authorization, 'x-undeclared': '1' })
outcomes.socket = await new Promise((resolve) => {
  const socket = new WebSocket('${gateway.url.replace('http', 'ws')}/socket')
  socket.onmessage = ({ data }) => resolve({ body: { [data]: true } })
  socket.onclose = () => resolve({ error: 'closed' })
})
await fetch('/', { method: 'POST', body: JSON.stringify(outcomes) })
`
}

async function listening(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
