import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseApiKey } from '../../src/stores/api-keys/format.ts'
import { sendRaw } from '../support/gateway.ts'
import { type Answer, adminListener, type Call, NOW, TOKEN } from './admin-listener.ts'

const DAY = 86_400_000
const iso = (ms: number) => new Date(ms).toISOString()
const code = ({ status, json }: Answer) => [status, json.code]

describe('keys over the admin API', () => {
  it('makes a key, shows it once, and never shows its digest', async (test) => {
    const { call, store } = await adminListener(test)
    const made = await call('POST', '/admin/v1/keys', {
      body: { owner: 'billing', scopes: ['jobs:run', 'jobs:run'], expiresIn: '90d', cidrs: ['10.0.0.0/8'] },
    })
    assert.equal(made.status, 201)
    assert.equal(made.headers.get('cache-control'), 'no-store')
    assert.equal(made.headers.get('x-content-type-options'), 'nosniff')
    const { id, key, ...facts } = made.json
    assert.equal(parseApiKey(key)?.id, id)
    assert.deepEqual(facts, {
      owner: 'billing',
      state: 'active',
      scopes: ['jobs:run'],
      cidrs: ['10.0.0.0/8'],
      createdAt: iso(NOW),
      expiresAt: iso(NOW + 90 * DAY),
      revokedAt: null,
      replacedBy: null,
    })
    const digest = store.findApiKey(id)?.digest ?? ''
    assert.match(digest, /^[0-9a-f]{64}$/)
    const shown = [await call('GET', '/admin/v1/keys'), await call('GET', `/admin/v1/keys/${id}`)]
    assert.deepEqual(shown[0]?.json, { keys: [{ id, ...facts }] })
    assert.deepEqual(shown[1]?.json, { id, ...facts })
    for (const { text } of [made, ...shown]) assert.ok(!text.includes(digest))
    for (const { text } of shown) assert.ok(!text.includes(key))
  })

  const ends: [string, object, number | null][] = [
    ['no end', {}, null],
    ['a duration', { expiresIn: '1h' }, NOW + 3_600_000],
    ['a date and time', { expiresAt: '2026-01-01T00:00:00+01:00' }, Date.UTC(2025, 11, 31, 23)],
  ]
  for (const [name, end, expiresAt] of ends)
    it(`takes ${name}`, async (test) => {
      const { call } = await adminListener(test)
      const { json } = await call('POST', '/admin/v1/keys', { body: { owner: 'acme', ...end } })
      assert.equal(json.expiresAt, expiresAt === null ? null : iso(expiresAt))
    })

  it('rotates a key: both work for the overlap, and only once', async (test) => {
    const { call, clock } = await adminListener(test)
    const { id } = (await call('POST', '/admin/v1/keys', { body: { owner: 'acme', scopes: ['a'] } })).json
    const rotated = await call('POST', `/admin/v1/keys/${id}/rotate`, { body: { overlap: '1h' } })
    assert.equal(rotated.status, 201)
    assert.equal(parseApiKey(rotated.json.key)?.id, rotated.json.id)
    assert.deepEqual(rotated.json.scopes, ['a'])
    assert.deepEqual(rotated.json.replaced, { id, expiresAt: iso(NOW + 3_600_000) })
    const old = (await call('GET', `/admin/v1/keys/${id}`)).json
    assert.deepEqual([old.state, old.replacedBy], ['rotating', rotated.json.id])
    const again = await call('POST', `/admin/v1/keys/${id}/rotate`)
    assert.deepEqual(code(again), [409, 'key-not-active'])
    assert.ok(again.json.errors[0].message.includes(rotated.json.id))
    clock.advance(3_600_000)
    assert.equal((await call('GET', `/admin/v1/keys/${id}`)).json.state, 'expired')
  })

  const bodies: [string, Call][] = [
    ['no body', {}],
    ['an empty body', { headers: { 'content-type': 'application/json' }, text: '' }],
    ['an empty object', { body: {} }],
    ['null', { text: 'null' }],
  ]
  for (const [name, sent] of bodies)
    it(`rotates with the usual overlap, and revokes, for ${name}`, async (test) => {
      const { call } = await adminListener(test)
      const { id } = (await call('POST', '/admin/v1/keys', { body: { owner: 'acme' } })).json
      const rotated = await call('POST', `/admin/v1/keys/${id}/rotate`, sent)
      assert.equal(rotated.json.replaced.expiresAt, iso(NOW + DAY))
      const revoked = await call('POST', `/admin/v1/keys/${id}/revoke`, sent)
      assert.deepEqual([revoked.status, revoked.json.state, revoked.json.revokedAt], [200, 'revoked', iso(NOW)])
    })

  it('revokes for good, and says the same when asked again', async (test) => {
    const { call, clock } = await adminListener(test)
    const { id } = (await call('POST', '/admin/v1/keys', { body: { owner: 'acme' } })).json
    const first = await call('POST', `/admin/v1/keys/${id}/revoke`)
    clock.advance(60_000)
    const second = await call('POST', `/admin/v1/keys/${id}/revoke`)
    assert.deepEqual([second.status, second.json], [200, first.json])
    const rotated = await call('POST', `/admin/v1/keys/${id}/rotate`)
    assert.deepEqual(code(rotated), [409, 'key-not-active'])
    assert.match(rotated.json.errors[0].message, /revoked/)
  })

  it('does not rotate an expired key', async (test) => {
    const { call, clock } = await adminListener(test)
    const { id } = (await call('POST', '/admin/v1/keys', { body: { owner: 'acme', expiresIn: '1h' } })).json
    clock.advance(3_600_000)
    assert.deepEqual(code(await call('POST', `/admin/v1/keys/${id}/rotate`)), [409, 'key-not-active'])
  })
})

describe('revocations over the admin API', () => {
  const asked: [object, object][] = [
    [
      { session: 's-1', issuer: 'https://a.example' },
      { kind: 'session', issuer: 'https://a.example', session: 's-1' },
    ],
    [{ session: 's-1' }, { kind: 'session', issuer: null, session: 's-1' }],
    [{ tokenId: 't-1' }, { kind: 'token', issuer: null, tokenId: 't-1' }],
    [{ subject: 'user-1' }, { kind: 'subject', issuer: null, subject: 'user-1', issuedUpTo: NOW / 1000 }],
    [{ credentialId: 'a'.repeat(64) }, { kind: 'credential', credentialId: 'a'.repeat(64) }],
    [{ credentialId: 'A'.repeat(16) }, { kind: 'credential', credentialId: 'A'.repeat(16) }],
  ]
  for (const [body, revocation] of asked)
    it(`revokes ${JSON.stringify(body)}`, async (test) => {
      const { call, revoked } = await adminListener(test)
      const made = await call('POST', '/admin/v1/revocations', { body })
      assert.equal(made.status, 201)
      assert.deepEqual(revoked[0]?.revocation, revocation)
      assert.equal(revoked[0]?.by, 'admin-api 127.0.0.1')
      const subject = 'subject' in body ? { issuedUpTo: iso(NOW) } : {}
      const kept = { id: 'revocation-1', at: iso(NOW), until: iso(NOW + 3_600_000), by: 'admin-api 127.0.0.1' }
      assert.deepEqual(made.json, { kind: revoked[0]?.revocation.kind, issuer: null, ...body, ...subject, ...kept })
      assert.deepEqual((await call('GET', '/admin/v1/revocations')).json, { revocations: [made.json] })
    })
})

describe('what the admin API refuses in a body', () => {
  const SECRET = 'pgk_dev_0000000000000000_secretsecretsecret'
  const JWT = `eyJhbGciOiJub25lIn0.${Buffer.from('{"sub":"x"}').toString('base64url')}.c2lnbmF0dXJl`
  const keys: [string, unknown, string][] = [
    ['no owner', {}, '/owner'],
    ['an owner that is no text', { owner: 5 }, '/owner'],
    ['an empty owner', { owner: '' }, '/owner'],
    ['an owner with a line end', { owner: 'a\nb' }, '/owner'],
    ['a key as owner', { owner: SECRET }, '/owner'],
    ['a token as owner', { owner: JWT }, '/owner'],
    ['an owner of 257 characters', { owner: 'a'.repeat(257) }, '/owner'],
    ['an unknown member', { owner: 'a', scope: ['x'] }, ''],
    ['a secret as the name of a member', { owner: 'a', [SECRET]: 1 }, ''],
    ['scopes in one text', { owner: 'a', scopes: 'a b' }, '/scopes'],
    ['a scope with a space', { owner: 'a', scopes: ['fine', 'a b'] }, '/scopes/1'],
    ['101 scopes', { owner: 'a', scopes: Array.from({ length: 101 }, (_, n) => `s${n}`) }, '/scopes'],
    ['a network that is none', { owner: 'a', cidrs: ['10.0.0.0/33'] }, '/cidrs/0'],
    ['a duration without unit', { owner: 'a', expiresIn: '90' }, '/expiresIn'],
    ['a duration as number', { owner: 'a', expiresIn: 90 }, '/expiresIn'],
    ['no time at all', { owner: 'a', expiresIn: '0s' }, '/expiresIn'],
    ['more than a hundred years', { owner: 'a', expiresIn: '36501d' }, '/expiresIn'],
    ['a date alone', { owner: 'a', expiresAt: '2026-01-01' }, '/expiresAt'],
    ['a time without offset', { owner: 'a', expiresAt: '2026-01-01T00:00:00' }, '/expiresAt'],
    ['a day that there is not', { owner: 'a', expiresAt: '2026-02-30T00:00:00Z' }, '/expiresAt'],
    ['the present', { owner: 'a', expiresAt: iso(NOW) }, '/expiresAt'],
    ['beyond a hundred years', { owner: 'a', expiresAt: '2199-01-01T00:00:00Z' }, '/expiresAt'],
    ['null for a time', { owner: 'a', expiresAt: null }, '/expiresAt'],
    ['two ends', { owner: 'a', expiresIn: '1d', expiresAt: '2026-01-01T00:00:00Z' }, ''],
    ['a list', [{ owner: 'a' }], ''],
    ['a text', 'owner', ''],
    ['null', null, ''],
  ]
  const revocations: [string, unknown, string][] = [
    ['nothing to revoke', {}, ''],
    ['an issuer alone', { issuer: 'https://a.example' }, ''],
    ['two things', { session: 's', tokenId: 't' }, ''],
    ['an empty session', { session: '' }, '/session'],
    ['a session of 1025 characters', { session: 's'.repeat(1025) }, '/session'],
    ['half a character', { session: 'a\ud800' }, '/session'],
    ['a subject of 1024 characters outside the basic plane', { subject: '\u{1f600}'.repeat(1024) }, '/subject'],
    ['a session that is no text', { session: 7 }, '/session'],
    ['a token as its id', { tokenId: JWT }, '/tokenId'],
    ['a key as its id', { credentialId: SECRET }, '/credentialId'],
    ['a digest in upper case', { credentialId: 'A'.repeat(64) }, '/credentialId'],
    ['an issuer of an API key', { credentialId: 'a'.repeat(16), issuer: 'x' }, ''],
    ['a time', { subject: 'u', issuedUpTo: 1 }, ''],
  ]
  const rotations: [string, unknown, string][] = [
    ['an overlap without unit', { overlap: '24' }, '/overlap'],
    ['an unknown member', { overlaps: '24h' }, ''],
  ]
  const revokes: [string, unknown, string][] = [['a reason', { reason: 'x' }, '']]
  const tables: [string, [string, unknown, string][]][] = [
    ['/admin/v1/keys', keys],
    ['/admin/v1/revocations', revocations],
    ['/admin/v1/keys/aaaaaaaaaaaaaaaa/rotate', rotations],
    ['/admin/v1/keys/aaaaaaaaaaaaaaaa/revoke', revokes],
  ]
  for (const [path, cases] of tables)
    it(`refuses at ${path}: ${cases.map(([name]) => name).join('; ')}`, async (test) => {
      const { call, store, revoked, log } = await adminListener(test)
      for (const [name, body, where] of cases) {
        const { status, json, text, headers } = await call('POST', path, { body })
        assert.deepEqual([name, status, json.code], [name, 400, 'request-malformed'])
        assert.equal(headers.get('content-type'), 'application/problem+json')
        assert.deepEqual(Object.keys(json).sort(), ['code', 'errors', 'requestId', 'status', 'title', 'type'])
        assert.ok(
          json.errors.some((error: { path: string }) => error.path === where),
          `${name}: ${text}`,
        )
        for (const error of json.errors) assert.match(error.message, /^(?:must|has|is|expires|credentialId)/)
        assert.ok(!text.includes(SECRET) && !text.includes(JWT), name)
      }
      assert.deepEqual([await store.listApiKeys(), revoked], [[], []])
      assert.doesNotMatch(log.join(''), /secretsecret|eyJhbGci/)
    })

  it('says each mistake of a body, in words', async (test) => {
    const { call } = await adminListener(test)
    const wrong = await call('POST', '/admin/v1/keys', { body: { scopes: ['a b'], expires: '90d' } })
    assert.deepEqual(
      wrong.json.errors.map(({ path, message }: { path: string; message: string }) => `${path}: ${message}`).toSorted(),
      [
        '/owner: is missing',
        '/scopes/0: must be a scope of printable ASCII without spaces, quotes or backslashes',
        ': has a member that is not known here; known are owner, scopes, expiresIn, expiresAt, cidrs',
      ],
    )
    const none = await call('POST', '/admin/v1/revocations', { body: {} })
    const message = 'must have exactly one of session, tokenId, subject, credentialId'
    assert.deepEqual(none.json.errors, [{ path: '', message }])
  })

  it('tells at most 20 mistakes', async (test) => {
    const { call } = await adminListener(test)
    const { json } = await call('POST', '/admin/v1/keys', { body: { owner: 'a', scopes: Array(99).fill(' ') } })
    assert.equal(json.errors.length, 20)
  })

  const unreadable: [string, Call, number, string][] = [
    ['broken JSON', { text: `{"owner":"${SECRET}` }, 400, 'request-malformed'],
    ['a poisoned prototype', { text: '{"owner":"a","__proto__":{"scopes":["x"]}}' }, 400, 'request-malformed'],
    ['text/plain', { text: '{"owner":"a"}', headers: { 'content-type': 'text/plain' } }, 400, 'request-malformed'],
    ['a form', { text: 'owner=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 400, 'request-malformed'],
    ['a body over 64 KiB', { body: { owner: 'a'.repeat(65_536) } }, 413, 'body-too-large'],
  ]
  for (const [name, sent, status, expected] of unreadable)
    it(`refuses ${name}`, async (test) => {
      const { call, store, log } = await adminListener(test)
      const answer = await call('POST', '/admin/v1/keys', sent)
      assert.deepEqual(code(answer), [status, expected])
      assert.doesNotMatch(answer.text + log.join(''), /secretsecret/)
      assert.deepEqual(await store.listApiKeys(), [])
    })

  it('takes no query: a mistyped one would be taken for an absent one', async (test) => {
    const { call } = await adminListener(test)
    const answer = await call('GET', `/admin/v1/keys?access_token=${TOKEN}`)
    assert.deepEqual(code(answer), [400, 'request-malformed'])
    assert.deepEqual(answer.json.errors, [{ path: '', message: 'takes no query' }])
  })
})

describe('places of the admin API', () => {
  const places: [string, string, number, string, string | null][] = [
    ['GET', '/admin/v1', 404, 'route-unknown', null],
    ['GET', '/admin/v1/', 404, 'route-unknown', null],
    ['GET', '/admin/v1/nothing', 404, 'route-unknown', null],
    ['GET', '/admin/v1/keys/', 404, 'key-unknown', null],
    ['GET', '/admin/v1/keys/aaaaaaaaaaaaaaaa', 404, 'key-unknown', null],
    ['GET', `/admin/v1/keys/${'a'.repeat(10_000)}`, 404, 'key-unknown', null],
    ['POST', '/admin/v1/keys/aaaaaaaaaaaaaaaa/rotate', 404, 'key-unknown', null],
    ['POST', '/admin/v1/keys/aaaaaaaaaaaaaaaa/revoke', 404, 'key-unknown', null],
    ['DELETE', '/admin/v1/keys/aaaaaaaaaaaaaaaa', 405, 'method-not-allowed', 'GET, HEAD'],
    ['PUT', '/admin/v1/keys', 405, 'method-not-allowed', 'POST, GET, HEAD'],
    ['PROPFIND', '/admin/v1/keys', 405, 'method-not-allowed', 'POST, GET, HEAD'],
    ['OPTIONS', '/admin/v1/revocations', 405, 'method-not-allowed', 'POST, GET, HEAD'],
    ['GET', '/admin/v1/keys/aaaaaaaaaaaaaaaa/revoke', 405, 'method-not-allowed', 'POST'],
    ['POST', '/admin/v1/openapi.json', 405, 'method-not-allowed', 'GET, HEAD'],
  ]
  for (const [method, path, status, expected, allow] of places)
    it(`${method} ${path.slice(0, 60)} is ${status} ${expected}`, async (test) => {
      const { call } = await adminListener(test)
      const answer = await call(method, path)
      assert.deepEqual(code(answer), [status, expected])
      assert.equal(answer.headers.get('allow'), allow)
      assert.equal(answer.headers.get('content-type'), 'application/problem+json')
      assert.equal(answer.headers.get('access-control-allow-origin'), null)
      assert.equal((await call(method, path, { token: null })).status, 401)
    })

  it('answers HEAD like GET, without a body', async (test) => {
    const { call } = await adminListener(test)
    const head = await call('HEAD', '/admin/v1/keys')
    assert.deepEqual([head.status, head.text, head.headers.get('content-length')], [200, '', '11'])
  })

  it('is not there at all without a token', async (test) => {
    const { call, store } = await adminListener(test, { off: true })
    for (const path of ['/admin/v1', '/admin/v1/keys', '/admin/v1/openapi.json'])
      assert.deepEqual(code(await call('GET', path)), [404, 'route-unknown'])
    for (const sent of [{ body: { owner: 'a' } }, { text: '{' }, { text: 'x', headers: { 'content-type': 'text/plain' } }])
      assert.deepEqual(code(await call('POST', '/admin/v1/keys', sent)), [404, 'route-unknown'])
    assert.deepEqual(await store.listApiKeys(), [])
  })

  it('answers a path that cannot be decoded, and a head that cannot be read, by the refusal table', async (test) => {
    const { port, refusals } = await adminListener(test)
    const path = await sendRaw(port, 'GET /admin/v1/%zz HTTP/1.1\r\nHost: x\r\n\r\n')
    const head = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: x\r\nbroken header\r\n\r\n')
    for (const { status, body } of [path, head]) {
      assert.deepEqual([status, JSON.parse(body).code], [400, 'request-malformed'])
      assert.doesNotMatch(body, /%zz|broken/)
    }
    assert.equal(refusals.length, 2)
  })

  it('keeps a well-formed request id and makes one otherwise', async (test) => {
    const { call } = await adminListener(test)
    const kept = await call('GET', '/admin/v1/keys', { headers: { 'x-request-id': 'mine-1' } })
    assert.equal(kept.headers.get('x-request-id'), 'mine-1')
    const refused = await call('GET', '/admin/v1/nothing', { headers: { 'x-request-id': 'not well formed' } })
    assert.match(refused.json.requestId, /^[0-9a-f-]{36}$/)
    assert.equal(refused.headers.get('x-request-id'), refused.json.requestId)
  })
})

describe('a change whose record is not on disk', () => {
  const troubles: [string, () => Promise<void>][] = [
    ['cannot be written', () => Promise.reject(new Error('no space left on device'))],
    ['takes too long', () => new Promise(() => {})],
  ]
  for (const [name, settled] of troubles)
    it(`is answered 503 and was made, when it ${name}`, async (test) => {
      const { call, store, refusals } = await adminListener(test, { settled, patience: 20 })
      const answer = await call('POST', '/admin/v1/keys', { body: { owner: 'acme' } })
      assert.deepEqual(code(answer), [503, 'audit-unavailable'])
      assert.match(answer.json.errors[0].message, /^the change was made: the key was made but is not shown/)
      assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
      assert.doesNotMatch(answer.text, /pgk_|no space/)
      assert.equal((await store.listApiKeys()).length, 1)
      assert.equal(refusals[0]?.reason, 'change-not-recorded')
      assert.equal((await call('GET', '/admin/v1/keys')).status, 200)
    })

  it('waits for the record before it answers', async (test) => {
    let settle = () => {}
    const recorded = new Promise<void>((resolve) => {
      settle = resolve
    })
    const { call, revoked } = await adminListener(test, { settled: () => recorded })
    let answered = false
    const answer = call('POST', '/admin/v1/revocations', { body: { session: 's' } }).finally(() => {
      answered = true
    })
    while (revoked.length === 0) await new Promise((resolve) => setImmediate(resolve))
    // A round trip of another request on the same listener: the answer had its chance.
    await call('GET', '/admin/v1/keys')
    assert.equal(answered, false)
    settle()
    assert.equal((await answer).status, 201)
  })
})
