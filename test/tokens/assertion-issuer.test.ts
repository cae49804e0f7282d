import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import type { Principal } from '../../src/domain/credential.ts'
import type { Assertion } from '../../src/ports/assertion-issuer.ts'
import { Refusal } from '../../src/problem/refusal.ts'
import { type AssertionOptions, createAssertionIssuer, MAX_ASSERTION_LENGTH } from '../../src/tokens/assertion-issuer.ts'
import { loadIdentityKeys } from '../../src/tokens/identity-keys.ts'
import {
  clockAt,
  fileWith,
  HUMAN,
  ISSUER,
  MACHINE,
  NOW,
  newKey,
  pkcs8,
  routeTo,
  UNICODE_SUBJECT,
  UPSTREAMS,
} from './identity-fixtures.ts'

const keys = loadIdentityKeys({ keyFile: fileWith(pkcs8(newKey('EdDSA'))), previousKeyFiles: [] })
const accounts = routeTo('accounts')

function setUp(change: Partial<AssertionOptions> = {}) {
  const clock = clockAt(NOW)
  const issuer = createAssertionIssuer({
    keys,
    issuer: ISSUER,
    ttlMs: 60_000,
    binding: 'session',
    forwardClaims: [],
    upstreams: UPSTREAMS,
    clock,
    ...change,
  })
  const issue = (principal: Principal, route = accounts, method = 'GET') => {
    const assertion = issuer.issue(principal, route, method)
    assert.ok(!(assertion instanceof Promise), 'answers without a promise')
    return assertion
  }
  return { clock, issue }
}

const claimsOf = ({ value }: Assertion) => decodeJwt(value)

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** The claims with `jti` checked and taken out. */
function withoutId(assertion: Assertion) {
  const { jti, ...claims } = claimsOf(assertion)
  assert.match(String(jti), UUID)
  return claims
}

const always = { iss: ISSUER, aud: 'accounts', iat: NOW, exp: NOW + 60 }

test('a person with everything known: exactly these claims', () => {
  assert.deepEqual(withoutId(setUp({ forwardClaims: ['email', 'absent'] }).issue(HUMAN)), {
    ...always,
    sub: 'user_2fLq',
    plane: 'HUMAN',
    actor: 'human',
    idp: 'https://clerk.example.com',
    scope: 'accounts:read accounts:write',
    sid: 'sess_81',
    roles: ['admin', 'viewer'],
    account_id: 'acc_7',
    team_id: 'team_9',
    client_id: 'web',
    act: { sub: 'agent_3' },
    ext: { email: 'ada@example.com' },
  })
})

test('an API key: the owner, the id of the key, an empty scope, no issuer', () => {
  assert.deepEqual(withoutId(setUp({ forwardClaims: ['email'] }).issue(MACHINE)), {
    ...always,
    sub: 'billing-worker',
    plane: 'MACHINE',
    actor: 'service',
    scope: '',
    client_id: 'k3yIdOf16Letters',
  })
})

test('a token of which little is known says no more than that', () => {
  const bare: Principal = {
    ...HUMAN,
    session: null,
    roles: [],
    account: null,
    team: null,
    clientId: null,
    delegation: null,
    scopes: [],
  }
  assert.deepEqual(withoutId(setUp().issue(bare)), {
    ...always,
    sub: 'user_2fLq',
    plane: 'HUMAN',
    actor: 'human',
    idp: 'https://clerk.example.com',
    scope: '',
  })
})

test('neither the digest of the token nor its identifier goes in', () => {
  const [, payload = ''] = setUp().issue(HUMAN).value.split('.')
  const text = Buffer.from(payload, 'base64url').toString()
  assert.ok(!text.includes(HUMAN.credentialId))
  assert.ok(!text.includes(String(HUMAN.tokenId)))
})

test('forwards own claims only, whatever they are called', () => {
  const claims = JSON.parse('{ "__proto__": "p", "nothing": null, "email": "ada@example.com" }')
  const assertion = setUp({ forwardClaims: ['__proto__', 'nothing', 'constructor', 'toString'] }).issue({ ...HUMAN, claims })
  const [, payload = ''] = assertion.value.split('.')
  assert.ok(Buffer.from(payload, 'base64url').toString().includes('"ext":{"__proto__":"p","nothing":null}'))
})

test('the protected header names algorithm, type and key, and nothing else', () => {
  const assertion = setUp().issue(HUMAN)
  assert.equal(assertion.header, 'X-Planegate-Assertion')
  assert.deepEqual(decodeProtectedHeader(assertion.value), { alg: 'EdDSA', typ: 'planegate-identity+jwt', kid: keys.current.kid })
})

test('the header is called as configured', () => {
  assert.equal(setUp({ header: 'X-Who' }).issue(HUMAN).header, 'X-Who')
})

test('any subject survives, and the header value stays ASCII', async () => {
  for (const subject of [UNICODE_SUBJECT, '\ud800 alone', '\u0000', 'é'.normalize('NFD')]) {
    const { value } = setUp().issue({ ...HUMAN, subject })
    assert.match(value, /^[\w-]+\.[\w-]+\.[\w-]+$/)
    const { payload } = await jwtVerify(value, createLocalJWKSet(structuredClone(keys.jwks()) as never), {
      currentDate: new Date(NOW * 1000),
    })
    assert.equal(payload.sub, subject)
  }
})

for (const { name, principal, ttlMs, exp } of [
  { name: 'ttl, where the credential lives on', principal: HUMAN, ttlMs: 60_000, exp: NOW + 60 },
  { name: 'ttl, where the credential has no end', principal: MACHINE, ttlMs: 60_000, exp: NOW + 60 },
  { name: 'the end of the credential', principal: { ...HUMAN, expiresAt: NOW + 7 }, ttlMs: 60_000, exp: NOW + 7 },
  {
    name: 'whole seconds of a credential that ends within one',
    principal: { ...HUMAN, expiresAt: NOW + 7.9 },
    ttlMs: 60_000,
    exp: NOW + 7,
  },
  { name: 'a ttl that is not whole seconds, rounded down', principal: HUMAN, ttlMs: 1_999, exp: NOW + 1 },
]) {
  test(`exp is bounded by ${name}`, () => {
    assert.equal(claimsOf(setUp({ ttlMs }).issue(principal)).exp, exp)
  })
}

test('session: one assertion per principal and upstream, its jti too, for half its life', () => {
  const { clock, issue } = setUp()
  const first = issue(HUMAN)
  clock.advance(29.999)
  assert.equal(issue(HUMAN, routeTo('accounts', 'another route'), 'POST'), first)
  clock.advance(0.001)
  const second = issue(HUMAN)
  assert.notEqual(claimsOf(second).jti, claimsOf(first).jti)
  assert.equal(claimsOf(second).exp, NOW + 90)
  assert.equal(issue(HUMAN), second)
})

test('session: another upstream or another principal gets its own', () => {
  const { clock, issue } = setUp()
  const first = issue(HUMAN)
  const reports = issue(HUMAN, routeTo('reports'))
  const other = issue({ ...HUMAN })
  assert.equal(claimsOf(reports).aud, 'urn:example:reports')
  assert.equal(new Set([first, reports, other].map((assertion) => claimsOf(assertion).jti)).size, 3)
  clock.advance(10)
  assert.equal(issue(HUMAN), first)
  assert.equal(issue(HUMAN, routeTo('reports')), reports)
})

test('session: renewing for one upstream keeps what the other has', () => {
  const { clock, issue } = setUp()
  issue(HUMAN)
  clock.advance(20)
  const reports = issue(HUMAN, routeTo('reports'))
  clock.advance(20)
  assert.equal(claimsOf(issue(HUMAN)).iat, NOW + 40)
  assert.equal(issue(HUMAN, routeTo('reports')), reports)
})

test('session: near the end of the credential the last assertion is used up, not made anew each time', () => {
  const { clock, issue } = setUp()
  const ending: Principal = { ...HUMAN, expiresAt: NOW + 40 }
  const last = issue(ending)
  for (const step of [25, 10, 4, 0.999]) {
    clock.advance(step)
    assert.equal(issue(ending), last)
  }
  clock.advance(0.001)
  assert.throws(() => issue(ending), refusal('credential-invalid', 'expired'))
})

test('session: a clock that was set back makes a new assertion', () => {
  const { clock, issue } = setUp()
  const first = issue(HUMAN)
  clock.advance(-3600)
  assert.equal(claimsOf(issue(HUMAN)).exp, NOW - 3600 + 60)
  assert.notEqual(issue(HUMAN), first)
})

test('request: a Txn-Token for each, bound to method and route, never used twice', () => {
  const { issue } = setUp({ binding: 'request', header: 'X-Ignored' })
  const tokens = Array.from({ length: 50 }, () => issue(HUMAN, accounts, 'DELETE'))
  const [first] = tokens
  assert.ok(first)
  assert.equal(first.header, 'Txn-Token')
  assert.deepEqual(decodeProtectedHeader(first.value), { alg: 'EdDSA', typ: 'txntoken+jwt', kid: keys.current.kid })
  for (const name of ['txn', 'jti'] as const) assert.equal(new Set(tokens.map((token) => claimsOf(token)[name])).size, 50)

  const { txn, tctx, ...rest } = claimsOf(first)
  assert.match(String(txn), UUID)
  assert.deepEqual(tctx, { method: 'DELETE', route: 'accounts-read' })
  assert.deepEqual(Object.keys(rest), Object.keys(claimsOf(setUp().issue(HUMAN))))
})

test('an assertion made before a rotation verifies while its key is published, and no longer', async () => {
  const oldKey = newKey('ES256')
  const before = loadIdentityKeys({ keyFile: fileWith(pkcs8(oldKey)), previousKeyFiles: [] })
  const { value } = setUp({ keys: before }).issue(HUMAN)

  const keyFile = fileWith(pkcs8(newKey('EdDSA')))
  const publicPart = fileWith(createPublicKey(oldKey).export({ type: 'spki', format: 'pem' }).toString())
  const verify = (previousKeyFiles: string[]) => {
    const after = loadIdentityKeys({ keyFile, previousKeyFiles })
    return jwtVerify(value, createLocalJWKSet(structuredClone(after.jwks()) as never), { currentDate: new Date(NOW * 1000) })
  }
  assert.equal((await verify([publicPart])).payload.sub, HUMAN.subject)
  await assert.rejects(verify([]), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
})

for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
  test(`the bound on the length holds for ${algorithm}: all of it, and not one character more`, () => {
    const own = loadIdentityKeys({ keyFile: fileWith(pkcs8(newKey(algorithm))), previousKeyFiles: [] })
    const { issue } = setUp({ keys: own })
    const lengthWith = (length: number) => issue({ ...HUMAN, subject: 'x'.repeat(length) }).value.length
    let fits = 1
    let tooLong = MAX_ASSERTION_LENGTH
    while (tooLong - fits > 1) {
      const middle = Math.floor((fits + tooLong) / 2)
      try {
        lengthWith(middle)
        fits = middle
      } catch {
        tooLong = middle
      }
    }
    assert.ok(lengthWith(fits) <= MAX_ASSERTION_LENGTH && lengthWith(fits) > MAX_ASSERTION_LENGTH - 3)
    assert.throws(() => lengthWith(fits + 1), refusal('internal', 'assertion-too-large'))
  })
}

for (const { name, principal, route, code, reason } of [
  {
    name: 'a route without an upstream',
    principal: HUMAN,
    route: routeTo(null),
    code: 'internal',
    reason: 'upstream-without-audience',
  },
  {
    name: 'an upstream nobody declared',
    principal: HUMAN,
    route: routeTo('ghost'),
    code: 'internal',
    reason: 'upstream-without-audience',
  },
  {
    name: 'a credential that is over',
    principal: { ...HUMAN, expiresAt: NOW },
    route: accounts,
    code: 'credential-invalid',
    reason: 'expired',
  },
  {
    name: 'a claim set of any size',
    principal: { ...HUMAN, roles: Array(9000).fill('role') },
    route: accounts,
    code: 'internal',
    reason: 'assertion-too-large',
  },
]) {
  for (const binding of ['session', 'request'] as const) {
    test(`${binding}: refuses ${name}`, () => {
      assert.throws(() => setUp({ binding }).issue(principal, route), refusal(code, reason))
    })
  }
}

function refusal(code: string, reason: string) {
  return (error: unknown) => error instanceof Refusal && error.code === code && error.reason === reason
}
