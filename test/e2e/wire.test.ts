import assert from 'node:assert/strict'
import { afterEach, before, describe, it } from 'node:test'
import { type Explainer, openExplainer } from '../../src/composition/explainer.ts'
import { loadGateway } from '../../src/config/load.ts'
import { assertAgrees } from '../support/explained.ts'
import { BASICS } from '../support/gateway.ts'
import { type AuditRecord, auditRecords, fileLifetime, filesOf, type Serving, serving, until } from './program.ts'
import { RawConnection } from './raw-connection.ts'
import { type WireUpstream, wireUpstream } from './wire-upstream.ts'

/**
 * Bytes that no client library would send. Where two servers could disagree on where a request ends, the second one can be smuggled past the first
 * (RFC 9112 section 11.2): so each of these is refused, the connection ends, and no upstream sees a whole request of it.
 */

const ROUTES = `
plane: PUBLIC
upstream: app
routes:
  - { id: all, path: /*, methods: [GET, POST, PUT], reason: test }
  - { id: closed, path: /closed, methods: [POST], plane: HUMAN_ONLY, require: any }
`
const lifetime = fileLifetime()
let upstream: WireUpstream
let gateway: Serving
let hasty: Serving
let folder: string
let hastyFolder: string
let explainer: Explainer

before(async () => {
  upstream = await wireUpstream(lifetime)
  const config = (server: string) =>
    `server: { host: 127.0.0.1, port: 0, ${server} }\nupstreams: { app: { targets: ['${upstream.origin}'] } }\n`
  const basics = BASICS.replace(/server: .*\n/, '')
  const files = filesOf(lifetime, config('maxBodySize: 1KiB'), ROUTES, basics)
  const hastyFiles = filesOf(lifetime, config('requestTimeout: 1s'), ROUTES, basics)
  folder = files.folder
  hastyFolder = hastyFiles.folder
  ;[gateway, hasty] = await Promise.all([serving(lifetime, files.file), serving(lifetime, hastyFiles.file)])
  const loaded = loadGateway(files.file)
  assert.ok(loaded.ok)
  explainer = await openExplainer(loaded.gateway)
  lifetime.after(() => explainer.close())
})

afterEach(async () => {
  assert.equal(gateway.program.child.exitCode, null, gateway.program.stdout)
  const answer = await fetch(`${gateway.url}/alive`)
  assert.equal(answer.status, 200)
})

const open = () => RawConnection.open(lifetime, gateway.port)

/** The one record of a request that was answered with this id. */
async function recordOf(text: string, where = folder): Promise<AuditRecord> {
  const id = /^x-request-id: (\S+)\r$/im.exec(text)?.[1]
  assert.ok(id !== undefined, `no request id in ${JSON.stringify(text)}`)
  const find = () => auditRecords(where).filter(({ requestId }) => requestId === id)
  await until(`the record of ${id}`, () => find().length > 0)
  const records = find()
  assert.equal(records.length, 1)
  return records[0] as AuditRecord
}

/**
 * Sends the bytes, and expects one refusal with this code, the end of the connection, one record, nothing whole at the upstream, and the same answer from
 * `explain`. `explained: false`: what is refused while it is sent on is not decided yet when the decision is explained.
 */
async function refused(
  bytes: string,
  status: number,
  code: string,
  { begins = false, explained = true } = {},
): Promise<AuditRecord> {
  const [begunBefore, wholeBefore] = [upstream.begun.length, takenForWhole().length]
  const text = await (await open()).send(bytes).ends()
  assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(bytes.slice(0, 300)))
  assert.equal(text.split('HTTP/1.1 ').length, 2, `more than one answer: ${text}`)
  assert.match(text, new RegExp(`"code":"${code}"`))
  assert.match(text, /^connection: close\r$/im)
  assert.match(text, /^content-type: application\/problem\+json\r$/im)
  const record = await recordOf(text)
  assert.deepEqual([record.code, record.decision, record.status], [code, 'deny', status])
  if (explained) assertAgrees(await explainer.explain(Buffer.from(bytes, 'latin1'), '127.0.0.1'), { ...record }, bytes)
  if (!begins) assert.equal(upstream.begun.length, begunBefore, 'the upstream was reached')
  assert.deepEqual(takenForWhole().slice(wholeBefore), [])
  return record
}

/** What the upstream took for a whole request, other than those that ask whether the gateway is alive. */
const takenForWhole = () => upstream.whole.filter((request) => !request.startsWith('GET /alive'))

const POST = 'POST /x HTTP/1.1\r\nHost: a\r\n'
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'

describe('a head that can be read in two ways is refused:', () => {
  const heads: [name: string, bytes: string][] = [
    [
      'Content-Length and Transfer-Encoding',
      `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'Transfer-Encoding and Content-Length',
      `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    ['Transfer-Encoding twice', `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    [
      'Transfer-Encoding twice, one not chunked',
      `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
    ],
    ['a coding beside chunked', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['chunked not last', `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['an unknown coding', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['a quoted coding', `${POST}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`],
    ['a vertical tab before the coding', `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
    ['a coding on a folded line', `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`],
    ['a folded line', 'GET /x HTTP/1.1\r\nHost: a\r\nX-Fold: a\r\n b\r\n\r\n'],
    ['a folded first line', 'GET /x HTTP/1.1\r\n X-Fold: a\r\nHost: a\r\n\r\n'],
    ['a space before the colon', `${POST}Content-Length : 5\r\n\r\nhello`],
    ['a tab before the colon', `${POST}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n`],
    ['a space in a header name', `${POST}Content Length: 5\r\n\r\nhello`],
    ['no header name', `${POST}: 5\r\n\r\n`],
    ['no colon', `${POST}Content-Length\r\n\r\n`],
    ['lines that end with LF alone', 'POST /x HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello'],
    ['one line that ends with LF alone', `GET /x HTTP/1.1\r\nHost: a\r\nX-A: b\nX-C: d\r\n\r\n`],
    ['one line that ends with CR alone', `GET /x HTTP/1.1\r\nHost: a\r\nX-A: b\rX-C: d\r\n\r\n`],
    ['NUL in a header', `GET /x HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n`],
    ['NUL in a header name', `GET /x HTTP/1.1\r\nHost: a\r\nX-\0A: b\r\n\r\n`],
    ['a length with a plus', `${POST}Content-Length: +5\r\n\r\nhello`],
    ['a negative length', `${POST}Content-Length: -5\r\n\r\nhello`],
    ['a length in hexadecimal', `${POST}Content-Length: 0x5\r\n\r\nhello`],
    ['a length with a space in it', `${POST}Content-Length: 5 5\r\n\r\nhello`],
    ['an empty length', `${POST}Content-Length:\r\n\r\n`],
    ['a length beyond counting', `${POST}Content-Length: 99999999999999999999\r\n\r\n`],
    ['two lengths', `${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`],
    ['one length twice', `${POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
    ['two lengths in one line', `${POST}Content-Length: 5, 5\r\n\r\nhello`],
    ['two hosts', 'GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['no host', 'GET /x HTTP/1.1\r\nX-A: b\r\n\r\n'],
    ['a target for another host', 'GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a target that is no path', 'GET x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a space in the target', 'GET /x y HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a version of its own', 'GET /x HTTP/1.9\r\nHost: a\r\n\r\n'],
    ['no version', 'GET /x\r\nHost: a\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
    ['garbage', '\x00\xff\xfe garbage \x01\r\n\r\n'],
    ['a method of garbage', 'G@T /x HTTP/1.1\r\nHost: a\r\n\r\n'],
    [
      'an upgrade with a body',
      `${POST.replace('POST', 'GET')}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello`,
    ],
  ]
  for (const [name, bytes] of heads) {
    it(name, async () => void (await refused(bytes, 400, 'request-malformed')))
  }
})

describe('a body that can be read in two ways is refused:', { concurrency: true }, () => {
  const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`
  const bodies: [name: string, body: string][] = [
    ['a chunk size that is none', `zz\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk size with a plus', `+5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk size with a prefix', `0x5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk size beyond counting', `10000000000000005\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk longer than it says', `3\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk size that ends with LF alone', `5\nhello\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk that ends with LF alone', `5\r\nhello\n0\r\n\r\n${SMUGGLED}`],
    ['a space before the chunk size', ` 5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk extension without an end', `5;${'x'.repeat(40_000)}\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk extension with LF in it', `5;a\nb\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
    ['a trailer that is none', `5\r\nhello\r\n0\r\nX Y: z\r\n\r\n${SMUGGLED}`],
  ]
  for (const [name, body] of bodies) {
    it(name, async () => void (await refused(CHUNKED + body, 400, 'request-malformed', { begins: true })))
  }
})

describe('sizes', () => {
  it('headers above the bound are 431', async () => {
    await refused(`GET /x HTTP/1.1\r\nHost: a\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large')
  })

  it('so are many small ones', async () => {
    await refused(`GET /x HTTP/1.1\r\nHost: a\r\n${'X-Small: abcdefgh\r\n'.repeat(2_000)}\r\n`, 431, 'headers-too-large')
  })

  it('and a client that goes on writing gets to read it', async () => {
    for (let round = 0; round < 5; round += 1) {
      const connection = await open()
      connection.send(`GET /x HTTP/1.1\r\nHost: a\r\nX-Big: ${'x'.repeat(4_000_000)}`)
      assert.match(await connection.ends(), /^HTTP\/1\.1 431 [\s\S]*"code":"headers-too-large"/)
    }
  })

  it('and a target above it', async () => {
    await refused(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431, 'headers-too-large')
  })

  it('a body that says it is above the bound is 413, before the upstream hears of it', async () => {
    await refused(`${POST}Content-Length: 1025\r\n\r\n${'x'.repeat(1025)}`, 413, 'body-too-large')
  })

  it('a chunked body that grows above it is 413', async () => {
    await refused(`${POST}Transfer-Encoding: chunked\r\n\r\n401\r\n${'x'.repeat(1025)}\r\n0\r\n\r\n`, 413, 'body-too-large', {
      begins: true,
      explained: false,
    })
  })

  it('a body of exactly the bound passes, by either length', async () => {
    const body = 'x'.repeat(1024)
    for (const bytes of [
      `${POST}Content-Length: 1024\r\n\r\n${body}`,
      `${POST}Transfer-Encoding: chunked\r\n\r\n400\r\n${body}\r\n0\r\n\r\n`,
    ]) {
      await (await open()).send(bytes).receives(/\[POST \/x x{1024}\]/)
    }
  })
})

describe('Expect: 100-continue', () => {
  it('is granted with 100 where the request is', async () => {
    const connection = await open()
    connection.send(`${POST}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`)
    await connection.receives(/^HTTP\/1\.1 100 Continue\r\n\r\n$/)
    connection.send('hello')
    await connection.receives(/HTTP\/1\.1 200 [\s\S]*\[POST \/x hello\]/)
  })

  const refusals: [name: string, head: string, status: number][] = [
    ['a missing credential', 'POST /closed HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n', 401],
    ['a method without a route', 'PATCH /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n', 405],
    ['a body above the bound', `${POST}Content-Length: 5000000\r\n`, 413],
  ]
  for (const [name, head, status] of refusals) {
    it(`is answered without 100: ${name}`, async () => {
      const begun = upstream.begun.length
      const connection = await open()
      connection.send(`${head}Expect: 100-continue\r\n\r\n`)
      await connection.receives(/"code":/)
      assert.deepEqual(connection.statuses, [status])
      assert.doesNotMatch(connection.text, /HTTP\/1\.1 100/)
      assert.equal(upstream.begun.length, begun)
      assert.equal((await recordOf(connection.text)).status, status)
    })
  }
})

describe('methods', () => {
  it('CONNECT is refused', async () => {
    const record = await refused('CONNECT upstream:443 HTTP/1.1\r\nHost: upstream:443\r\n\r\n', 400, 'request-malformed')
    assert.equal(record.reason, 'connect-not-served')
  })

  for (const method of ['TRACE', 'PURGE', 'DELETE', 'PROPFIND', 'QUERY']) {
    it(`${method} is 405 where the path has other methods, with one record`, async () => {
      const connection = await open()
      connection.send(`${method} /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      const text = await connection.ends()
      assert.match(text, /^HTTP\/1\.1 405 /)
      assert.match(text, /^allow: GET, HEAD, POST, PUT\r$/im)
      const record = await recordOf(text)
      assert.deepEqual([record.code, record.method], ['method-not-allowed', method])
    })
  }
})

describe('HTTP/1.0 and pipelines', () => {
  it('HTTP/1.0 is answered and closed, without Host too', async () => {
    const text = await (await open()).send('GET /x HTTP/1.0\r\n\r\n').ends()
    assert.match(text, /^HTTP\/1\.1 200 [\s\S]*\[GET \/x \]$/)
    assert.doesNotMatch(text, /transfer-encoding/i)
  })

  it('requests in a row are answered in their order', async () => {
    const connection = await open()
    const waits = [120, 60, 0, 30, 0]
    connection.send(waits.map((wait) => `GET /slow/${wait} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
    await until('all are answered', () => connection.statuses.length === waits.length)
    assert.deepEqual(
      [...connection.text.matchAll(/\[GET \/slow\/(\d+) \]/g)].map(([, wait]) => Number(wait)),
      waits,
    )
  })

  it('a refused one in the middle does not put the others out of step', async () => {
    const connection = await open()
    const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
    connection.send(ask('/slow/50') + ask('/x//y') + ask('/last'))
    await until('all are answered', () => connection.statuses.length === 3)
    assert.deepEqual(connection.statuses, [200, 400, 200])
  })

  it('an upgrade behind a request ends the connection and nothing else', async () => {
    const upgrade = `GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
    for (const before of [
      'GET /slow/50 HTTP/1.1\r\nHost: a\r\n\r\n',
      `${POST}Content-Length: 1\r\n\r\nx`,
      `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ]) {
      await (await open()).send(before + upgrade).ends()
      assert.equal((await fetch(`${gateway.url}/alive`)).status, 200)
    }
    await until(
      'they have records',
      () => auditRecords(folder).filter(({ reason }) => reason === 'pipelined-upgrade').length === 3,
    )
    assert.ok(!upstream.begun.includes('GET /ws'))
  })

  it('a client that hangs up in the middle of its body leaves one record, and nothing whole', async () => {
    const whole = upstream.whole.length
    const connection = await open()
    connection.send('PUT /half HTTP/1.1\r\nHost: a\r\nX-Request-Id: half-a-body\r\nContent-Length: 10\r\n\r\nhal')
    await until('the upstream has its head', () => upstream.begun.includes('PUT /half'))
    connection.hangUp()
    const find = () => auditRecords(folder).filter(({ requestId }) => requestId === 'half-a-body')
    await until('its record', () => find().length > 0)
    assert.deepEqual(
      find().map(({ status, reason }) => [status, reason]),
      [[400, 'incomplete']],
    )
    assert.equal(upstream.whole.length, whole)
  })
})

describe('a request that takes too long to arrive is 408, with one record:', { concurrency: true }, () => {
  const slow: [name: string, bytes: string][] = [
    ['a slow head', 'GET /x HTTP/1.1\r\nHost: a\r\nX-Slow: '],
    ['a slow body', `${POST}Content-Length: 10\r\n\r\nhel`],
    ['a slow chunked body', `${POST}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n`],
    ['a slow body behind a whole request', `GET /first HTTP/1.1\r\nHost: a\r\n\r\n${POST}Content-Length: 10\r\n\r\nhel`],
  ]
  for (const [name, bytes] of slow) {
    it(name, async () => {
      const connection = await RawConnection.open(lifetime, hasty.port)
      const text = await connection.send(bytes).ends()
      assert.equal(connection.statuses.at(-1), 408, text)
      const answer = text.slice(text.lastIndexOf('HTTP/1.1 408'))
      assert.match(answer, /"code":"request-timeout"/)
      assert.match(answer, /^connection: close\r$/im)
      const record = await recordOf(answer, hastyFolder)
      assert.deepEqual([record.code, record.status], ['request-timeout', 408])
    })
  }

  it('but a slow upstream is no slow client', async () => {
    assert.equal((await fetch(`${hasty.url}/slow/2500`)).status, 200)
  })
})
