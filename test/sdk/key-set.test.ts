import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type mock, test } from 'node:test'
import { createIdentityVerifier, IdentityError, type IdentityVerifierOptions } from '../../src/sdk/upstream.ts'
import { loadIdentityKeys } from '../../src/tokens/identity-keys.ts'
import { fileWith, HUMAN, ISSUER, MACHINE, newKey, pkcs8 } from '../tokens/identity-fixtures.ts'
import { issue, issueNow, keys, listen, signingKey } from './signing.ts'

const HEADER = 'x-planegate-assertion'

const publicPart = createPublicKey(signingKey).export({ type: 'spki', format: 'pem' }).toString()
const rotated = loadIdentityKeys({ keyFile: fileWith(pkcs8(newKey('ES256'))), previousKeyFiles: [fileWith(publicPart)] })

type Answer = (response: ServerResponse, request: IncomingMessage) => void
const json =
  (value: unknown): Answer =>
  (response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(value))
const status =
  (code: number): Answer =>
  (response) =>
    response.writeHead(code, { location: '/elsewhere' }).end('{"keys":[]}')

/** A gateway that publishes keys and counts how often it is asked; what it answers can be changed. */
async function gateway(first: Answer) {
  const state = { answer: first, paths: [] as string[] }
  const server = await listen((request, response) => {
    state.paths.push(String(request.url))
    state.answer(response, request)
  })
  const verifier = (change: Partial<IdentityVerifierOptions> = {}) =>
    createIdentityVerifier({ gateway: server.origin, issuer: ISSUER, audience: 'accounts', cacheSize: 0, ...change })
  return { state, verifier, origin: server.origin, close: server.close, [Symbol.asyncDispose]: server.close }
}

const unavailable = (error: unknown) =>
  error instanceof IdentityError && error.code === 'keys-unavailable' && error.status === 503
const invalid = (error: unknown) => error instanceof IdentityError && error.code === 'identity-invalid'

test('keys are fetched when they are first needed, once for many', async () => {
  await using own = await gateway(json(keys.jwks()))
  const verifier = own.verifier()
  assert.deepEqual(own.state.paths, [])
  const headers = { [HEADER]: issueNow() }
  const identities = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(headers)))
  assert.ok(identities.every(({ subject }) => subject === HUMAN.subject))
  assert.deepEqual(own.state.paths, ['/.well-known/jwks.json'])
})

for (const { name, suffix, path } of [
  { name: 'below a path', suffix: '/edge/', path: '/edge/.well-known/jwks.json' },
  { name: 'by its own address', suffix: '/own/keys.json', path: '/own/keys.json' },
]) {
  test(`the key set is found ${name}`, async () => {
    await using own = await gateway(json(keys.jwks()))
    await own.verifier({ gateway: own.origin + suffix }).verify({ [HEADER]: issueNow() })
    assert.deepEqual(own.state.paths, [path])
  })
}

test('a request without an assertion, or with garbage, fetches nothing', async () => {
  await using own = await gateway(json(keys.jwks()))
  await assert.rejects(own.verifier().verify({}))
  await assert.rejects(own.verifier().verify({ [HEADER]: 'a.b.c' }))
  assert.deepEqual(own.state.paths, [])
})

const hangUp: Answer = (response) => response.destroy()
const silence: Answer = () => {}
for (const { name, answer } of [
  { name: '500', answer: status(500) },
  { name: '404', answer: status(404) },
  { name: 'a redirect', answer: status(302) },
  { name: 'no JSON', answer: ((response) => response.end('<html>')) as Answer },
  { name: 'JSON that is no key set', answer: json({ keys: 'none' }) },
  { name: 'nothing but a closed connection', answer: hangUp },
  { name: 'nothing at all', answer: silence },
]) {
  test(`a gateway that answers ${name}: keys-unavailable, and good again afterwards`, async () => {
    await using own = await gateway(answer)
    const verifier = own.verifier({ keysTimeout: 200 })
    const headers = { [HEADER]: issueNow() }
    await assert.rejects(verifier.verify(headers), unavailable)
    own.state.answer = json(keys.jwks())
    assert.equal((await verifier.verify(headers)).subject, HUMAN.subject)
  })
}

test('a new key is looked for at once, and old assertions go on', async (t) => {
  await using own = await gateway(json(keys.jwks()))
  const verifier = own.verifier()
  const before = { [HEADER]: issueNow() }
  await verifier.verify(before)

  own.state.answer = json(rotated.jwks())
  const after = { [HEADER]: issueNow({ with: rotated }) }
  // Within the pause after a fetch an unknown key id is simply not the gateway's.
  await assert.rejects(verifier.verify(after), invalid)
  assert.equal(own.state.paths.length, 1)
  passing(t, 5_001)
  assert.equal((await verifier.verify(after)).subject, HUMAN.subject)
  assert.equal((await verifier.verify(before)).subject, HUMAN.subject)
  assert.equal(own.state.paths.length, 2)
})

test('made-up key ids do not become load', async () => {
  await using own = await gateway(json(keys.jwks()))
  const verifier = own.verifier()
  for (let i = 0; i < 20; i++) {
    const current = { ...keys.current, kid: i.toString(16).padStart(16, '0') }
    await assert.rejects(verifier.verify({ [HEADER]: issueNow({ with: { ...keys, current } }) }), invalid)
  }
  assert.equal(own.state.paths.length, 1)
})

test('keys that were good outlast a gateway that is away: for an hour, asked for once in a while, and only those keys', async (t) => {
  await using own = await gateway(json(keys.jwks()))
  const verifier = own.verifier({ keysMaxAge: 1_000 })
  const start = Date.now()
  const at = (ms: number, options = {}) => {
    t.mock.restoreAll()
    mockNow(t, start + ms)
    return verifier.verify({ [HEADER]: issue({ principal: MACHINE, at: Math.floor((start + ms) / 1000), ...options }) })
  }
  await at(0)
  own.state.answer = status(503)
  assert.equal((await at(2_000)).subject, MACHINE.subject)
  assert.equal((await at(3_000)).subject, MACHINE.subject)
  assert.equal(own.state.paths.length, 2)
  await assert.rejects(at(4_000, { with: rotated }), unavailable)
  assert.equal((await at(8_000)).subject, MACHINE.subject)
  assert.equal(own.state.paths.length, 3)
  await assert.rejects(at(3_600_001), unavailable)
  own.state.answer = json(keys.jwks())
  assert.equal((await at(3_601_000)).subject, MACHINE.subject)
})

test('a gateway with no listener: keys-unavailable', async () => {
  const own = await gateway(json(keys.jwks()))
  await own.close()
  await assert.rejects(own.verifier().verify({ [HEADER]: issueNow() }), unavailable)
})

test('the issuer is the gateway, unless it is said otherwise', async () => {
  await using own = await gateway(json(keys.jwks()))
  const verifier = createIdentityVerifier({ gateway: own.origin, audience: 'accounts' })
  await assert.rejects(verifier.verify({ [HEADER]: issueNow() }), /unexpected "iss" claim value/)
})

/** The wall clock, `ms` later. */
function passing(t: TestContext, ms: number) {
  mockNow(t, Date.now() + ms)
}
function mockNow(t: TestContext, now: number) {
  t.mock.method(Date, 'now', () => now)
}
type TestContext = { mock: typeof mock }
