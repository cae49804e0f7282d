import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { loadGateway } from '../../src/config/load.ts'
import { developmentIssuerOptions, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'
import { BASICS, gatewayFolder, type RawAnswer, type RunningGateway, sendRaw, startGateway } from '../support/gateway.ts'

/** CORS through a listening gateway, by raw sockets, in front of an upstream that has its own opinion about it. */

const APP = 'https://app.example.com'
const EXPOSED = 'X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate'
/** What the upstream says to everybody. */
const LENIENT = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Credentials': 'true',
  Access_Control_Expose_Headers: '*',
  'access-control-allow-private-network': 'true',
}

let upstream: Server
const seen: string[] = []
let gateway: RunningGateway
let token = ''

before(async () => {
  upstream = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    const vary = request.url?.endsWith('/varying') ? 'accept-encoding, ORIGIN' : 'Accept-Encoding'
    response.writeHead(200, { ...LENIENT, Vary: vary, 'content-length': 2 }).end('{}')
  })
  upstream.on('upgrade', (request, socket) => {
    seen.push(`UPGRADE ${request.url}`)
    socket.end('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const files = gatewayFolder(
    `${BASICS}
invariants: { workerPaths: [/workers/*], adminPaths: [] }
upstreams:
  things: { targets: ['http://127.0.0.1:${(upstream.address() as AddressInfo).port}'] }
  nowhere: { targets: ['http://127.0.0.1:1'] }
limits: [{ name: per-address, key: ip, rate: 6000/min, burst: 5000 }]
`,
    {
      things: `
plane: HUMAN_ONLY
upstream: things
routes:
  - { id: app, path: /app/*, methods: [GET, POST, DELETE], require: any, cors: { origins: ['${APP}'], methods: [GET, POST] } }
  - { id: own, path: /own/*, methods: [GET, OPTIONS], plane: PUBLIC, reason: test }
  - { id: both, path: /both, methods: [OPTIONS, PUT], require: any, cors: { origins: ['${APP}'], credentials: true, maxAge: 90s, headers: [X-Page] } }
  - { id: open, path: /open, plane: PUBLIC, reason: test, cors: { origins: ['*'], headers: [] } }
  - { id: job, path: /workers/job, plane: BOTH, methods: [POST], require: any, cors: { origins: ['${APP}'] } }
  - { id: gone, path: /gone, upstream: nowhere, plane: PUBLIC, reason: test, cors: { origins: ['${APP}'] } }
`,
    },
  )
  const loaded = loadGateway(files.file)
  assert.ok(loaded.ok)
  token = openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway)).sign({ sub: 'alice', plane: 'human', sid: 's' })
  gateway = await startGateway(files)
})

after(async () => {
  upstream.close()
  upstream.closeAllConnections()
  await gateway.stop()
})

beforeEach(() => {
  seen.length = 0
})

function head(line: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ Host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return `${line} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** Sends one request and closes, so that an answer without a body has an end. */
function send(line: string, headers: Readonly<Record<string, string>>): Promise<RawAnswer> {
  return sendRaw(gateway.port, head(line, { Connection: 'close', ...headers }), { waitForClose: true })
}

const asks = (method: string, more: Readonly<Record<string, string>> = {}) => ({
  Origin: APP,
  'Access-Control-Request-Method': method,
  ...more,
})

function corsOf({ headers }: RawAnswer): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /^access[-_]control/.test(name)))
}

test('a preflight is answered here, without a credential, and recorded as its route', async () => {
  const answer = await send(
    'OPTIONS /app/1',
    asks('POST', { 'Access-Control-Request-Headers': 'authorization,content-type', 'X-Request-Id': 'preflight-1' }),
  )
  assert.equal(answer.status, 204)
  assert.equal(answer.body, '')
  assert.deepEqual(corsOf(answer), {
    'access-control-allow-origin': APP,
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-allow-headers': 'Authorization, Content-Type, X-API-Key',
    'access-control-max-age': '600',
  })
  assert.equal(answer.headers.vary, 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
  assert.equal(answer.headers['x-request-id'], 'preflight-1')
  assert.match(answer.headers.ratelimit ?? '', /^"per-address";r=/)
  assert.deepEqual(seen, [])
  const records = (await gateway.records('preflight-1')).filter((record) => record.requestId === 'preflight-1')
  assert.equal(records.length, 1)
  const [record] = records
  assert.deepEqual(
    [record?.decision, record?.route, record?.status, record?.reason, record?.credential, record?.upstream],
    ['allow', 'app', 204, 'cors-preflight', null, null],
  )
})

test('the connection stays usable after a preflight', async () => {
  const two = head('OPTIONS /app/1', asks('GET')) + head('GET /open', { Connection: 'close' })
  const { text } = await sendRaw(gateway.port, two, { waitForClose: true })
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 204', 'HTTP/1.1 200'])
})

test('credentials, headers and the time to keep the answer are as declared', async () => {
  assert.deepEqual(corsOf(await send('OPTIONS /both', asks('PUT', { 'Access-Control-Request-Headers': 'x-page' }))), {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'OPTIONS, PUT',
    'access-control-allow-headers': 'X-Page',
    'access-control-max-age': '90',
  })
  assert.deepEqual(corsOf(await send('OPTIONS /open', asks('GET', { Origin: 'null' }))), {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, HEAD',
    'access-control-max-age': '600',
  })
})

test('a preflight on a worker path opens nothing there', async () => {
  assert.equal((await send('OPTIONS /workers/job', asks('POST'))).status, 204)
  const refused = await send('OPTIONS /workers/job', asks('POST', { Authorization: `Bearer ${token}` }))
  assert.match(refused.body, /worker-refuses-jwt/)
  assert.deepEqual(corsOf(refused), {})
  assert.equal((await send('POST /workers/job', { Origin: APP, 'Content-Length': '0' })).status, 401)
  assert.deepEqual(seen, [])
})

const REFUSED: [name: string, line: string, headers: Record<string, string>, status: number, code: string][] = [
  ['another origin', 'OPTIONS /app/1', asks('GET', { Origin: `${APP}.evil.com` }), 403, 'policy-denied'],
  ['a method of the route that pages may not use', 'OPTIONS /app/1', asks('DELETE'), 403, 'policy-denied'],
  ['a header', 'OPTIONS /app/1', asks('GET', { 'Access-Control-Request-Headers': 'x-else' }), 403, 'policy-denied'],
  ['no such method', 'OPTIONS /app/1', asks('PATCH'), 405, 'method-not-allowed'],
  ['no such path', 'OPTIONS /none', asks('GET'), 404, 'route-unknown'],
  ['no preflight: no origin', 'OPTIONS /app/1', { 'Access-Control-Request-Method': 'GET' }, 405, 'method-not-allowed'],
  ['OPTIONS itself, without a credential', 'OPTIONS /both', { Origin: APP }, 401, 'credential-missing'],
]
for (const [name, line, headers, status, code] of REFUSED) {
  test(`refused: ${name}: ${status} ${code}`, async () => {
    const answer = await send(line, headers)
    assert.equal(answer.status, status)
    assert.equal(JSON.parse(answer.body).code, code)
    assert.equal(answer.headers['access-control-allow-methods'], undefined)
    if (headers['Access-Control-Request-Method'] !== undefined) assert.deepEqual(corsOf(answer), {})
    assert.deepEqual(seen, [])
  })
}

test('two origins are malformed', async () => {
  const answer = await sendRaw(gateway.port, head('GET /open', { Origin: APP, origin: 'https://evil.example' }))
  assert.equal(answer.status, 400)
  assert.deepEqual(seen, [])
})

test("an answer is readable for the declared page, and the upstream's own words on it are dropped", async () => {
  const answer = await send('GET /app/1', { Origin: APP, Authorization: `Bearer ${token}` })
  assert.equal(answer.status, 200)
  assert.deepEqual(corsOf(answer), { 'access-control-allow-origin': APP, 'access-control-expose-headers': EXPOSED })
  assert.equal(answer.headers.vary, 'Accept-Encoding, Origin, Authorization')
  const varying = await send('GET /app/varying', { Origin: APP, Authorization: `Bearer ${token}` })
  assert.equal(varying.headers.vary, 'accept-encoding, ORIGIN, Authorization')
  assert.deepEqual(seen, ['GET /app/1', 'GET /app/varying'])
})

test('the actual OPTIONS request after its preflight reaches the upstream', async () => {
  const answer = await send('OPTIONS /both', { Origin: APP, Authorization: `Bearer ${token}` })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['access-control-allow-credentials'], 'true')
  assert.deepEqual(seen, ['OPTIONS /both'])
})

for (const [name, headers] of [
  ['another origin', { Origin: 'https://evil.example' }],
  ['no origin', {}],
] as const) {
  test(`for ${name} the answer is not readable, and caches keep it apart`, async () => {
    const answer = await send('GET /app/1', { ...headers, Authorization: `Bearer ${token}` })
    assert.equal(answer.status, 200)
    assert.deepEqual(corsOf(answer), {})
    assert.match(answer.headers.vary ?? '', /\bOrigin\b/)
  })
}

test('refusals before and after the grant are readable', async () => {
  const page = { 'access-control-allow-origin': APP, 'access-control-expose-headers': EXPOSED }
  const table: [line: string, status: number, expected: Record<string, string>][] = [
    ['GET /app/1', 401, page],
    ['GET /gone', 502, page],
    // Before a route is known: what the routes of this origin allow together.
    ['GET /nowhere', 404, { ...page, 'access-control-allow-credentials': 'true' }],
  ]
  for (const [line, status, expected] of table) {
    const answer = await send(line, { Origin: APP })
    assert.equal(answer.status, status)
    assert.deepEqual(corsOf(answer), expected, line)
    assert.equal(answer.headers.vary, 'Origin')
  }
})

test('a route without cors leaves all of it to its upstream', async () => {
  const untouched = Object.fromEntries(Object.entries(LENIENT).map(([name, value]) => [name.toLowerCase(), value]))
  const answer = await send('GET /own/1', { Origin: 'https://evil.example' })
  assert.deepEqual(corsOf(answer), untouched)
  assert.equal(answer.headers.vary, 'Accept-Encoding')
  const asked = await send('OPTIONS /own/1', asks('GET', { Origin: 'https://evil.example' }))
  assert.deepEqual([asked.status, corsOf(asked)], [200, untouched])
  assert.deepEqual(seen, ['GET /own/1', 'OPTIONS /own/1'])
})

test('a WebSocket is opened for declared pages and for what is no page', async () => {
  const upgrade = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    Authorization: `Bearer ${token}`,
  }
  const refused = await send('GET /app/socket', { ...upgrade, Origin: 'https://app.example.com:444' })
  assert.deepEqual([refused.status, JSON.parse(refused.body).code, corsOf(refused)], [403, 'policy-denied', {}])
  assert.deepEqual(seen, [])
  for (const headers of [{ ...upgrade, Origin: APP }, upgrade]) assert.equal((await send('GET /app/socket', headers)).status, 426)
  assert.deepEqual(seen, ['UPGRADE /app/socket', 'UPGRADE /app/socket'])
})
