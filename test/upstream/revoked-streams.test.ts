import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { after, before, describe, it, type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { loadGateway } from '../../src/config/load.ts'
import { mintApiKey } from '../../src/stores/api-keys/format.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { openAdministration, type SqlAdministration } from '../../src/stores/sql/sql-administration.ts'
import { developmentIssuerOptions, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'
import { BASICS, gatewayFolder, type RunningGateway, startGateway } from '../support/gateway.ts'
import { until } from './fixture.ts'

/** Open streams of a whole gateway, whose credentials are withdrawn at its database as the command line does it. */

const clock = { now: Date.now, monotonic: () => performance.now() }
const upstream = http.createServer((_request, response) =>
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n'),
)
let gateway: RunningGateway
let elsewhere: SqlAdministration
let sign: (claims: { sub: string; sid: string }, ttl?: number) => string
const closers: (() => unknown)[] = []

before(async () => {
  new WebSocketServer({ server: upstream }).on('connection', (socket) => socket.on('error', () => {}))
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const { port } = upstream.address() as import('node:net').AddressInfo
  const files = gatewayFolder(`${BASICS}upstreams: { things: { targets: ['http://127.0.0.1:${port}'] } }\n`, {
    things: 'plane: BOTH\nupstream: things\nroutes: [{ id: things, path: /*, require: any }]\n',
  })
  gateway = await startGateway(files)
  const loaded = loadGateway(files.file)
  assert.ok(loaded.ok)
  const issuer = openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway))
  sign = (claims, ttl = 3_600_000) => issuer.sign({ plane: 'human', ...claims }, { ttl })
  const database = await openDatabase(loaded.gateway.stores.database)
  elsewhere = await openAdministration(database, {
    clock,
    auditLog: { appendChange: () => Promise.reject(new Error('the gateway records them')) },
    revocation: loaded.gateway.revocation,
    events: { failed: () => {}, restored: () => {} },
  })
  closers.push(
    () => elsewhere.close(),
    () => database.close(),
  )
})

after(async () => {
  for (const close of closers) await close()
  await gateway.stop()
  upstream.close()
  upstream.closeAllConnections()
})

interface Both {
  readonly ids: readonly string[]
  readonly text: () => string
  readonly code: () => string | null
  readonly ended: () => boolean
}

/** A WebSocket and an event stream with one credential. */
async function open(t: TestContext, headers: Record<string, string>): Promise<Both> {
  const request = http.get(`${gateway.url}/events`, { headers, agent: false })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  assert.equal(response.statusCode, 200)
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/socket`, { headers })
  const [upgraded] = (await Promise.all([once(socket, 'upgrade'), once(socket, 'open')])) as [[http.IncomingMessage], unknown]
  let code: string | null = null
  socket.once('close', (number, reason) => {
    code = `${number} ${reason}`
  })
  t.after(() => {
    request.destroy()
    socket.terminate()
  })
  const ids = [response, upgraded[0]].map(({ headers: { 'x-request-id': id } }) => String(id))
  return { ids, text: () => text, code: () => code, ended: () => response.complete && code !== null }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function closings({ ids }: Both): Promise<Record<string, unknown>[]> {
  const records = await gateway.records()
  return records.filter(({ event, requestId }) => event === 'stream-closed' && ids.includes(String(requestId)))
}

async function assertClosed(both: Both, closeText: string, reason: string): Promise<void> {
  assert.equal(both.code(), `1008 ${closeText}`)
  const data = JSON.stringify({ code: 'credential-invalid', requestId: both.ids[0] })
  assert.equal(both.text(), `data: 1\n\nevent: planegate-closed\ndata: ${data}\n\n`)
  const records = await closings(both)
  assert.deepEqual(records.map(({ stream, route, code, reason: why }) => [stream, route, code, why]).toSorted(), [
    ['event-stream', 'things', 'credential-invalid', reason],
    ['websocket', 'things', 'credential-invalid', reason],
  ])
}

async function createKey() {
  const { key, id, digest } = mintApiKey('dev')
  const record = { id, digest, owner: 'acme', scopes: [], cidrs: [], createdAt: Date.now() }
  await elsewhere.credentials.createApiKey({ ...record, expiresAt: null, revokedAt: null, replacedBy: null }, 'test')
  return { key, id }
}

describe('open streams of a withdrawn credential', () => {
  it('a revoked session’s close within a second, and are recorded; another session’s and another issuer’s stay', async (t) => {
    const mine = await open(t, bearer(sign({ sub: 'alice', sid: 'secret-session-1' })))
    const others = await open(t, bearer(sign({ sub: 'alice', sid: 'secret-session-2' })))
    const issuer = 'https://elsewhere.example.com'
    await elsewhere.revocations.revoke({ kind: 'session', issuer, session: 'secret-session-2' }, 'test')
    const revokedAt = performance.now()
    await elsewhere.revocations.revoke({ kind: 'session', issuer: null, session: 'secret-session-1' }, 'test')
    await until(mine.ended, 'both end')
    const took = performance.now() - revokedAt
    assert.ok(took < 1_000, `${took} ms`)
    await assertClosed(mine, 'credential revoked', 'session-revoked')
    assert.deepEqual([others.text(), others.code(), await closings(others)], ['data: 1\n\n', null, []])
    assert.doesNotMatch(JSON.stringify(await closings(mine)), /secret-session/)
  })

  it('a revoked API key’s close', async (t) => {
    const { key, id } = await createKey()
    const both = await open(t, { 'x-api-key': key })
    await elsewhere.credentials.revokeApiKey(id, Date.now(), 'test')
    await until(both.ended, 'both end')
    await assertClosed(both, 'credential revoked', 'revoked')
    const records = await closings(both)
    assert.deepEqual(records[0]?.credential, { kind: 'api-key', id })
    assert.ok(!JSON.stringify(records).includes(key))
  })

  it('an expired token’s close: its end plus the skew of its issuer', async (t) => {
    // The development issuer's skew is 30 s: the token is already past its `exp`, and good for two or three seconds more.
    const both = await open(t, bearer(sign({ sub: 'bob', sid: 's' }, -27_000)))
    assert.equal(both.code(), null)
    await until(both.ended, 'both end')
    await assertClosed(both, 'credential expired', 'expired')
  })
})
