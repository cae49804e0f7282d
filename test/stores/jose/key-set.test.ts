import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import type { Provider } from '../../../src/domain/provider.ts'
import type { Verification } from '../../../src/ports/verifier.ts'
import { Refusal } from '../../../src/problem/refusal.ts'
import type { KeySet } from '../../../src/stores/jose/key-set.ts'
import type { KeySetTimes } from '../../../src/stores/jose/loaded-key-set.ts'
import { goodClaims, goodHeader } from '../../attack/bad-tokens.ts'
import { type ForgingKey, forged, forgingKey, publicJwk } from '../../attack/forge.ts'
import { fakeClock, json, openIssuer, openVerifier, providerOf, type TestIssuer, tokenContext } from './issuer.ts'

const OLD = forgingKey('EdDSA', 'old')
const NEW = forgingKey('EdDSA', 'new')
const GONE = { timeout: 200 }

async function opened(
  t: Parameters<typeof openIssuer>[0],
  options: { times?: Partial<KeySetTimes>; provider?: Partial<Provider> } = {},
) {
  const issuer = await openIssuer(t)
  issuer.publish([publicJwk(OLD)])
  const clock = fakeClock()
  const providers = [providerOf(issuer.origin, options.provider)]
  const { verifier, keySets } = openVerifier(t, { providers, clock, ...(options.times && { times: options.times }) })
  const context = tokenContext(issuer.origin, clock)
  // Lives longer than any time that these tests pass through.
  const token = (key: ForgingKey, kid = key.kid) =>
    forged(key, { ...goodHeader(key), kid }, { ...goodClaims(context), exp: context.now() + 100_000, jti: kid })
  const keySet = keySets.get('test') as KeySet
  const outcome = async (text: string) => told(await Promise.resolve(verifier.verify(text)).catch((error: unknown) => error))
  return { issuer, clock, verifier, keySet, token, outcome }
}

/** `believed`, the reason of a refusal, or `503` and the reason for which nothing could be said. */
function told(result: Verification | unknown): string {
  if (result instanceof Refusal) return `503 ${result.code} ${result.reason}`
  assert.ok(!(result instanceof Error), String(result))
  const verification = result as Verification
  return verification.verified ? 'believed' : verification.reason
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 5000
  while (!condition()) {
    assert.ok(Date.now() < deadline, `still waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

test('an issuer that is sick makes its tokens unverifiable, not wrong', async (t) => {
  const rows: [name: string, listener: RequestListener, reason: string][] = [
    ['resetting', (request) => request.socket.destroy(), 'unreachable'],
    ['silent', () => {}, 'timeout'],
    ['slow in the body', (_request, response) => response.writeHead(200).write('{"keys":['), 'timeout'],
    ['500', (_request, response) => response.writeHead(500).end('{}'), 'status'],
    ['204', (_request, response) => response.writeHead(204).end(), 'status'],
    ['404', (_request, response) => response.writeHead(404).end(), 'status'],
    ['redirecting', (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), 'redirected'],
    ['huge', (_request, response) => response.end(`{"keys":[],"x":"${'x'.repeat(600_000)}"}`), 'too-large'],
    ['nonsense', (_request, response) => response.end('<html>down for maintenance</html>'), 'not-json'],
    ['an array', (_request, response) => json(response, [publicJwk(OLD)]), 'not-json'],
    ['no key set', (_request, response) => json(response, { error: 'x' }), 'not-a-key-set'],
    ['empty', (_request, response) => json(response, { keys: [] }), 'no-usable-key'],
    ['101 keys', (_request, response) => json(response, { keys: Array(101).fill(publicJwk(OLD)) }), 'too-many-keys'],
    [
      'keys that cannot verify',
      (_request, response) => json(response, { keys: [publicJwk(OLD, { use: 'enc' })] }),
      'no-usable-key',
    ],
    ['cut off', (request, response) => response.write('{"keys":[', () => request.socket.destroy()), 'unreachable'],
  ]
  for (const [name, listener, reason] of rows) {
    await t.test(name, async (t) => {
      const { issuer, outcome, token, keySet, clock } = await opened(t, { times: GONE })
      issuer.answer(listener)
      assert.equal(await outcome(token(OLD)), `503 keys-unavailable keys-${reason}`)
      assert.equal(keySet.state().lastError, reason)
      await assert.rejects(keySet.prepare())
      issuer.publish([publicJwk(OLD)])
      clock.advance(1000)
      assert.equal(await outcome(token(OLD)), 'believed', 'and when it is well again, so are they')
      assert.equal(keySet.state().lastError, null)
    })
  }
  await t.test('down', async (t) => {
    const { issuer, outcome, token } = await opened(t)
    await issuer.stop()
    assert.equal(await outcome(token(OLD)), '503 keys-unavailable keys-unreachable')
  })
})

test('after a failure attempts back off, so that an issuer is not hammered', async (t) => {
  const { issuer, outcome, token, clock } = await opened(t)
  issuer.answer((_request, response) => response.writeHead(500).end())
  const attempts: number[] = []
  for (let second = 0; second < 120; second += 1) {
    await Promise.all(Array.from({ length: 5 }, (_, index) => outcome(token(OLD, `k${second}-${index}`))))
    if (issuer.requests.length > attempts.length) attempts.push(second)
    clock.advance(1000)
  }
  assert.deepEqual(attempts, [0, 1, 3, 7, 15, 31, 61, 91])
})

test('the last good keys serve on while loads fail, for an hour', async (t) => {
  const { issuer, outcome, token, clock, keySet } = await opened(t)
  assert.equal(await outcome(token(OLD)), 'believed')
  for (const sick of [{ keys: [] }, { keys: 'x' }]) {
    issuer.answer((_request, response) => json(response, sick))
    clock.advance(10 * 60_000)
    assert.equal(await outcome(token(OLD, 'old')), 'believed')
  }
  assert.equal(await outcome(token(NEW)), '503 keys-unavailable keys-not-a-key-set', 'a key that is not known may be a new one')
  clock.advance(39 * 60_000)
  assert.equal(await outcome(token(OLD)), 'believed')
  assert.ok(keySet.state().lastError)
  clock.advance(60_000)
  assert.match(await outcome(token(OLD)), /^503 keys-unavailable/, 'what was verified before counts no more either')
})

test('keys past half of their lifetime are renewed, and no request waits', async (t) => {
  const { issuer, verifier, outcome, token, clock } = await opened(t)
  const text = token(OLD)
  await outcome(text)
  clock.advance(5 * 60_000 - 1)
  await outcome(text)
  assert.equal(issuer.requests.length, 1)
  clock.advance(1)
  assert.ok(!(verifier.verify(text) instanceof Promise), 'answered from what is there')
  await until(() => issuer.requests.length === 2, 'the renewal')
})

test('a key that the issuer withdrew is dropped with all that it verified', async (t) => {
  const { issuer, verifier, outcome, token, clock, keySet } = await opened(t)
  const dropped: string[] = []
  keySet.whenDropped((id) => dropped.push(id))
  const text = token(OLD)
  assert.equal(await outcome(text), 'believed')
  issuer.publish([publicJwk(NEW)])
  assert.equal(await outcome(token(NEW)), 'believed', 'an unknown kid brings the new set')
  assert.deepEqual(dropped, ['old'])
  assert.equal(verifier.remembered, 1)
  assert.equal(await outcome(text), 'signing-key-unknown')
  assert.deepEqual(keySet.state().keyIds, ['new'])

  issuer.publish([publicJwk({ ...OLD, kid: 'new' })])
  clock.advance(10 * 60_000)
  assert.equal(await outcome(token(NEW)), 'signature-invalid', 'another key under the same name is another key')
  assert.deepEqual(dropped, ['old', 'new'])
})

test('a key that stays stays the same object through every load', async (t) => {
  const { issuer, verifier, outcome, token, clock } = await opened(t)
  const text = token(OLD)
  await outcome(text)
  issuer.publish([publicJwk(NEW), publicJwk(OLD)])
  clock.advance(60_000)
  await outcome(token(NEW))
  assert.ok(!(verifier.verify(text) instanceof Promise), 'and what it verified stays remembered')
})

test('concurrent tokens with a new key wait for one load', async (t) => {
  const { issuer, outcome, token } = await opened(t)
  await outcome(token(OLD))
  issuer.publish([publicJwk(OLD), publicJwk(NEW)])
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcome(token(NEW))))
  assert.deepEqual(new Set(outcomes), new Set(['believed']))
  assert.equal(issuer.requests.length, 2)
})

test('ten thousand invented kids reach the issuer a handful of times', async (t) => {
  const { issuer, outcome, token, clock } = await opened(t)
  await outcome(token(OLD))
  const input = (kid: string) => token(OLD, kid).replace(/[^.]+$/, 'AAAA')
  const outcomes = new Set<string>()
  for (let round = 0; round < 10; round += 1) {
    const kids = Array.from({ length: 1000 }, (_, index) => outcome(input(`${round}-${index}`)))
    for (const result of await Promise.all(kids)) outcomes.add(result)
    clock.advance(5000)
  }
  assert.deepEqual([...outcomes], ['signing-key-unknown'])
  assert.equal(issuer.requests.length, 3, 'once at first, then once for every 30 s')
})

test('a kid that was looked for in vain causes no second load for a minute', async (t) => {
  const { issuer, outcome, token, clock } = await opened(t)
  await outcome(token(OLD))
  const loads: number[] = []
  for (let second = 0; second <= 90; second += 10) {
    assert.equal(await outcome(token(NEW)), 'signing-key-unknown')
    if (issuer.requests.length > loads.length + 1) loads.push(second)
    clock.advance(10_000)
  }
  assert.deepEqual(loads, [0, 60])
})

test('discovery finds the keys by the metadata of the issuer', async (t) => {
  const metadata =
    (issuer: TestIssuer, at: string, change: object = {}): RequestListener =>
    (request, response) => {
      const tenant = `${issuer.origin}/tenant`
      if (request.url === at) json(response, { issuer: tenant, jwks_uri: `${issuer.origin}/keys`, ...change })
      else if (request.url === '/keys') json(response, { keys: [publicJwk(OLD)] })
      else response.writeHead(404).end()
    }
  const OIDC = '/tenant/.well-known/openid-configuration'
  const OAUTH = '/.well-known/oauth-authorization-server/tenant'
  const rows: [name: string, at: string, change: object, error: string | null, requests: string[]][] = [
    ['OpenID Connect', OIDC, {}, null, [OIDC, '/keys']],
    ['RFC 8414', OAUTH, {}, null, [OIDC, OAUTH, '/keys']],
    ['neither', '/elsewhere', {}, 'status', [OIDC, OAUTH]],
    ['another issuer', OIDC, { issuer: 'https://other.example' }, 'issuer-mismatch', [OIDC]],
    ['an issuer with a slash more', OIDC, { issuer: undefined }, 'issuer-mismatch', [OIDC]],
    ['no jwks_uri', OIDC, { jwks_uri: undefined }, 'not-a-key-set', [OIDC]],
    ['keys over plain http elsewhere', OIDC, { jwks_uri: 'http://keys.example/jwks' }, 'address-refused', [OIDC]],
    ['keys in the internal network', OIDC, { jwks_uri: 'https://169.254.169.254/jwks' }, 'address-refused', [OIDC]],
    ['keys in the internal network, IPv6', OIDC, { jwks_uri: 'https://[fd00::1]/jwks' }, 'address-refused', [OIDC]],
    ['keys in the internal network, mapped', OIDC, { jwks_uri: 'https://[::ffff:10.0.0.1]/jwks' }, 'address-refused', [OIDC]],
    ['keys in a file', OIDC, { jwks_uri: 'file:///etc/passwd' }, 'address-refused', [OIDC]],
  ]
  for (const [name, at, change, error, requests] of rows) {
    await t.test(name, async (t) => {
      const issuer = await openIssuer(t)
      issuer.answer(metadata(issuer, at, change))
      const providers = [providerOf(`${issuer.origin}/tenant`, { keys: { from: 'discovery' } })]
      const keySet = openVerifier(t, { providers, clock: fakeClock() }).keySets.get('test') as KeySet
      await (error === null ? keySet.prepare() : assert.rejects(keySet.prepare()))
      assert.equal(keySet.state().lastError, error)
      assert.deepEqual(issuer.requests, requests)
    })
  }
})

test('plain http is for this machine only', async (t) => {
  for (const url of [
    'http://keys.example/jwks',
    'http://127.0.0.1.keys.example/',
    'ftp://127.0.0.1/',
    'https://user:word@keys.example/',
    'x',
  ]) {
    const providers = [providerOf('https://issuer.example', { keys: { from: 'url', url } })]
    const keySet = openVerifier(t, { providers, clock: fakeClock() }).keySets.get('test') as KeySet
    await assert.rejects(keySet.prepare(), { failure: 'address-refused' }, url)
  }
})

test('a closed key set fetches no more', async (t) => {
  const { issuer, outcome, token, keySet } = await opened(t)
  issuer.answer(() => {})
  const waiting = outcome(token(OLD))
  await until(() => issuer.requests.length === 1, 'the fetch')
  keySet.close()
  assert.match(await waiting, /^503 keys-unavailable/)
  assert.match(await outcome(token(OLD)), /^503 keys-unavailable/)
  assert.equal(issuer.requests.length, 1)
})
