import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Explained } from '../support/explained.ts'
import { BASICS, gatewayFolder, RecordingUpstream, type RunningGateway, startGateway } from '../support/gateway.ts'
import { AMBIGUOUS_PATHS } from './ambiguous-paths.ts'

/**
 * Paths that the gateway could read in one way and a server behind it in another: the class of Oathkeeper's CVE-2026-33494, Traefik's CVE-2026-29054
 * and Caddy's CVE-2026-30851. Everything is declared PUBLIC here, so that only the path decides.
 */

let upstream: RecordingUpstream
let gateway: RunningGateway
let explained: Explained

before(async () => {
  upstream = await RecordingUpstream.start()
  const routes =
    'plane: PUBLIC\nupstream: things\nroutes:\n  - { id: all, path: /*, methods: [GET, OPTIONS], reason: test }\n  - { id: api, path: /api/*, stripPrefix: /api, reason: test }\n'
  gateway = await startGateway(
    gatewayFolder(`${BASICS}\nupstreams: { things: { targets: ['${upstream.origin}'] } }\n`, { routes }),
  )
  explained = await Explained.beside(gateway)
})

after(async () => {
  await explained.close()
  await gateway.stop()
  upstream.close()
})

const raw = (method: string, target: string, ...headers: string[]) =>
  explained.send(
    [`${method} ${target} HTTP/1.1`, 'Host: api.example.com', ...headers, 'Connection: close', '', ''].join('\r\n'),
    { waitForClose: true },
  )

for (const { path, why } of AMBIGUOUS_PATHS) {
  test(`refuses ${path} (${why})`, async () => {
    for (const target of [path, `/api${path}`, `${path}?q=1`, `http://api.example.com${path}`]) {
      const answer = await raw('GET', target)
      assert.equal(answer.status, 400, `${target}: ${answer.text}`)
      assert.equal((JSON.parse(answer.body) as { code: string }).code, 'path-ambiguous', target)
      const { records } = { records: await gateway.records(answer.headers['x-request-id']) }
      const record = records.find((one) => one.requestId === answer.headers['x-request-id'])
      assert.deepEqual([record?.code, record?.reason, record?.path], ['path-ambiguous', why, null])
    }
    assert.equal((await raw('HEAD', path)).status, 400)
    assert.equal((await raw('OPTIONS', path)).status, 400)
    const upgrade = [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    const lines = [`GET ${path} HTTP/1.1`, 'Host: a', ...upgrade, '', '']
    assert.equal((await explained.send(lines.join('\r\n'), { waitForClose: true })).status, 400)
    assert.equal(upstream.seen.length, 0, 'the upstream was reached')
  })
}

describe('what is not a path for this host', () => {
  const targets = [
    '*',
    'api.example.com:443',
    'http://other.example/x',
    'http://api.example.com@other.example/x',
    'ftp://api.example.com/x',
    'x',
    '/x#fragment',
    '/x?a#b',
    '/x?é',
  ]
  for (const target of targets) {
    test(`refuses ${target}`, async () => {
      assert.equal((await raw('GET', target)).status, 400)
      assert.equal(upstream.seen.length, 0)
    })
  }
})

describe('the path that was matched is the path that is sent', () => {
  const sent: [target: string, url: string][] = [
    ['/a/%62/c', '/a/b/c'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/a%20b?q=%2e%2e%2f', '/a%20b?q=%2e%2e%2f'],
    ['/a"b{c}', '/a%22b%7Bc%7D'],
    ['/api/x/%7Ey', '/x/~y'],
    ['/api/', '/'],
    ['/apix/y', '/apix/y'],
    ['/x?', '/x'],
    ['/x??a=/../b', '/x??a=/../b'],
    ['http://api.example.com/x/y?z', '/x/y?z'],
  ]
  for (const [target, url] of sent) {
    test(`${target} arrives as ${url}`, async () => {
      const answer = await raw('GET', target)
      assert.equal(answer.status, 200, answer.text)
      assert.equal(upstream.seen.pop()?.url, url)
    })
  }
})

test('explain agrees with the gateway on every request above', async () => {
  assert.ok((await explained.agree([])) > AMBIGUOUS_PATHS.length * 7)
})
