import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Principal } from '../../../src/domain/credential.ts'
import type { Provider, TokenAlgorithm } from '../../../src/domain/provider.ts'
import type { Verification } from '../../../src/ports/verifier.ts'
import type { KeySet } from '../../../src/stores/jose/key-set.ts'
import { tokenVerifier } from '../../../src/stores/jose/token-verifier.ts'
import { goodClaims, goodHeader } from '../../attack/bad-tokens.ts'
import { type ForgingKey, forged, forgingKey, publicJwk } from '../../attack/forge.ts'
import { AUDIENCE, fakeClock, openIssuer, openVerifier, PUBLISHED, providerOf, tokenContext } from './issuer.ts'

async function opened(t: Parameters<typeof openIssuer>[0], change: Partial<Provider> = {}, cacheSize?: number) {
  const issuer = await openIssuer(t)
  issuer.publish(PUBLISHED)
  const clock = fakeClock()
  const provider = providerOf(issuer.origin, change)
  const fixture = openVerifier(t, { providers: [provider], clock, ...(cacheSize !== undefined && { cacheSize }) })
  const context = tokenContext(issuer.origin, clock)
  const key = context.keys.EdDSA
  const token = (claims: object = {}, header: object = {}) =>
    forged(key, { ...goodHeader(key), ...header }, { ...goodClaims(context), ...claims })
  return { ...fixture, issuer, clock, context, key, token }
}

function believed(verification: Verification): Principal {
  assert.ok(verification.verified, verification.verified ? '' : verification.reason)
  return verification.principal
}

test('a good token of each algorithm is believed', async (t) => {
  const algorithms: TokenAlgorithm[] = [
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
    'Ed25519',
  ]
  const clock = fakeClock()
  for (const algorithm of algorithms) {
    await t.test(algorithm, async (t) => {
      const issuer = await openIssuer(t)
      const key = forgingKey(algorithm)
      issuer.publish([publicJwk(key)])
      const { verifier } = openVerifier(t, { providers: [providerOf(issuer.origin, { algorithms: [algorithm] })], clock })
      const claims = goodClaims(tokenContext(issuer.origin, clock))
      assert.equal(believed(await verifier.verify(forged(key, goodHeader(key), claims))).subject, 'alice')
    })
  }
})

test('EdDSA and Ed25519 are one algorithm under two names', async (t) => {
  const { verifier, token } = await opened(t, { algorithms: ['Ed25519'] })
  believed(await verifier.verify(token({}, { alg: 'EdDSA' })))
  believed(await verifier.verify(token({}, { alg: 'Ed25519' })))
})

test('the type may be spelled as RFC 7515 allows, and left out where JWT is accepted', async (t) => {
  const rows: [types: string[], typ: string | undefined, believed: boolean][] = [
    [['at+jwt', 'JWT'], 'jwt', true],
    [['at+jwt', 'JWT'], 'application/at+jwt', true],
    [['application/AT+JWT'], 'at+JWT', true],
    [['at+jwt', 'JWT'], undefined, true],
    [['at+jwt'], undefined, false],
    [['at+jwt'], 'JWT', false],
  ]
  for (const [types, typ, expected] of rows) {
    const { verifier, token } = await opened(t, { types })
    assert.equal((await verifier.verify(token({}, { typ }))).verified, expected, `${typ} among ${types}`)
  }
})

test('a principal is what its claims say', async (t) => {
  const { verifier, token, context, clock } = await opened(t, { clockSkew: 30_000 })
  const now = context.now()
  const act = { sub: 'bob', act: { sub: 'carol' } }
  const text = token({
    aud: ['https://other.example', AUDIENCE],
    scope: ' accounts:read  accounts:write ',
    roles: ['admin', 'viewer'],
    account_id: 'a-1',
    team_id: null,
    azp: 'web',
    iat: now + 0.5,
    nbf: now + 29,
    act,
    constructor: 'x',
  })
  const { claims, ...principal } = believed(await verifier.verify(text))
  assert.match(principal.credentialId, /^[0-9a-f]{64}$/)
  assert.match(principal.sessionDigest ?? '', /^[0-9a-f]{64}$/)
  assert.deepEqual(JSON.parse(JSON.stringify(principal)), {
    kind: 'jwt',
    plane: 'HUMAN',
    actor: 'human',
    issuer: context.issuer,
    subject: 'alice',
    credentialId: principal.credentialId,
    session: 'session-1',
    sessionDigest: principal.sessionDigest,
    tokenId: 'token-1',
    issuedAt: now,
    expiresAt: now + 330,
    scopes: ['accounts:read', 'accounts:write'],
    roles: ['admin', 'viewer'],
    account: 'a-1',
    team: null,
    clientId: 'web',
    delegation: act,
  })
  assert.equal(claims.constructor, 'x')
  assert.equal(claims.toString, undefined, 'claims inherit nothing')
  assert.throws(() => Object.assign(claims.act as object, { sub: 'root' }), TypeError, 'and cannot be changed')
  assert.throws(() => (principal.scopes as string[]).push('admin'), TypeError)
  assert.ok(clock.now() > 0)
})

test('the plane comes from the claim, the actor from the plane', async (t) => {
  const { verifier, token } = await opened(t, { requiredClaims: ['sub'] })
  const machine = believed(await verifier.verify(token({ plane: 'machine', sid: undefined, scope: undefined })))
  assert.deepEqual([machine.plane, machine.actor, machine.session, machine.scopes], ['MACHINE', 'service', null, []])
  const fixed = await opened(t, { plane: { fixed: 'MACHINE' } })
  assert.equal(believed(await fixed.verifier.verify(fixed.token({ plane: 'human' }))).plane, 'MACHINE')
})

test('a mapped claim is found by its literal name first, then as a path', async (t) => {
  const mapping = providerOf('x').claims
  const claims = { ...mapping, roles: 'realm_access.roles', account: 'https://example.com/account', team: 'a.constructor.name' }
  const { verifier, token } = await opened(t, { claims })
  const path = believed(
    await verifier.verify(token({ realm_access: { roles: ['x'] }, 'https://example.com/account': 'a-1', a: {} })),
  )
  assert.deepEqual([path.roles, path.account, path.team], [['x'], 'a-1', null])
  const literal = believed(await verifier.verify(token({ realm_access: { roles: ['x'] }, 'realm_access.roles': 'y' })))
  assert.deepEqual(literal.roles, ['y'])
})

test('a token without kid is believed only where one key fits', async (t) => {
  const { verifier, token, context } = await opened(t)
  believed(await verifier.verify(token({}, { kid: undefined })))
  const issuer = await openIssuer(t)
  issuer.publish([...PUBLISHED, publicJwk(forgingKey('EdDSA'))])
  const two = openVerifier(t, { providers: [providerOf(issuer.origin)], clock: fakeClock() })
  const key = context.keys.EdDSA
  const claims = { ...goodClaims(context), iss: issuer.origin }
  const verification = await two.verifier.verify(forged(key, { ...goodHeader(key), kid: undefined }, claims))
  assert.deepEqual(verification.verified || verification.reason, 'key-undecided')
})

test('the same kid of two issuers is two keys', async (t) => {
  const clock = fakeClock()
  const keys = [forgingKey('EdDSA', 'k1'), forgingKey('EdDSA', 'k1')] as [ForgingKey, ForgingKey]
  const issuers = [await openIssuer(t), await openIssuer(t)] as const
  for (const [index, issuer] of issuers.entries()) issuer.publish([publicJwk(keys[index] as ForgingKey)])
  const providers = issuers.map(({ origin }, index) => providerOf(origin, { name: `p${index}` }))
  const { verifier } = openVerifier(t, { providers, clock })
  for (const [i, { origin }] of issuers.entries()) {
    for (const [k, key] of keys.entries()) {
      const verification = await verifier.verify(forged(key, goodHeader(key), goodClaims(tokenContext(origin, clock))))
      assert.equal(verification.verified, i === k, `issuer ${i}, key ${k}`)
    }
  }
})

test('a verified token is answered without a promise until it expires', async (t) => {
  const { verifier, token, clock, cache } = await opened(t)
  const text = token()
  const first = await verifier.verify(text)
  assert.equal(verifier.verify(text), first, 'the same answer, at once')
  assert.deepEqual(cache, { hit: 1, miss: 1 })
  clock.advance(300_000 - 1)
  assert.equal(verifier.verify(text), first)
  clock.advance(1)
  const inGrace = verifier.verify(text)
  assert.ok(inGrace instanceof Promise, 'past exp it is verified anew')
  believed(await inGrace)
  assert.equal(verifier.remembered, 0)
  clock.advance(30_000)
  const dead = await verifier.verify(text)
  assert.equal(dead.verified || dead.reason, 'expired')
})

test('the cache is bounded and drops what was not used for longest', async (t) => {
  const { verifier, token } = await opened(t, {}, 3)
  const texts = ['a', 'b', 'c', 'd'].map((jti) => token({ jti })) as [string, string, string, string]
  for (const text of texts.slice(0, 3)) await verifier.verify(text)
  assert.ok(!(verifier.verify(texts[0]) instanceof Promise))
  await verifier.verify(texts[3])
  assert.equal(verifier.remembered, 3)
  assert.ok(verifier.verify(texts[1]) instanceof Promise, 'b was the oldest used')
  assert.ok(!(verifier.verify(texts[0]) instanceof Promise), 'a was used again')
})

test('one token that arrives many times at once is verified once', async (t) => {
  const { verifier, token } = await opened(t)
  const text = token()
  const answers = Array.from({ length: 20 }, () => verifier.verify(text))
  assert.equal(new Set(answers).size, 1)
  believed((await Promise.all(answers))[0] as Verification)
})

test('forgetting a key forgets what it verified, and nothing else', async (t) => {
  const { verifier, token, context } = await opened(t)
  const rsa = context.keys.RS256
  const texts = [token(), forged(rsa, goodHeader(rsa), goodClaims(context))] as const
  for (const text of texts) await verifier.verify(text)
  verifier.forgetKey('another', context.keys.EdDSA.kid)
  assert.equal(verifier.remembered, 2)
  verifier.forgetKey('test', context.keys.EdDSA.kid)
  assert.equal(verifier.remembered, 1)
  assert.ok(!(verifier.verify(texts[1]) instanceof Promise))
})

test('a token whose key is dropped while its signature is checked is neither believed nor remembered', async (t) => {
  const { keySets, token, clock, issuer } = await opened(t)
  const real = keySets.get('test') as KeySet
  await real.prepare()
  const keySet: KeySet = { ...bound(real), trusts: () => false }
  const verifier = tokenVerifier({ providers: [providerOf(issuer.origin)], keySets: new Map([['test', keySet]]), clock })
  const verification = await verifier.verify(token())
  assert.equal(verification.verified || verification.reason, 'key-dropped')
  assert.equal(verifier.remembered, 0)
})

function bound(keySet: KeySet): KeySet {
  return {
    find: (kid, algorithm) => keySet.find(kid, algorithm),
    trusts: (key) => keySet.trusts(key),
    prepare: () => keySet.prepare(),
    fits: (algorithms) => keySet.fits(algorithms),
    state: () => keySet.state(),
    whenDropped: (listener) => keySet.whenDropped(listener),
    close: () => keySet.close(),
  }
}

test('no token is believed after any one of its characters was changed', async (t) => {
  const { verifier, token } = await opened(t)
  const text = token()
  for (let at = 0; at < text.length; at += 1) {
    const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
    assert.equal((await verifier.verify(changed)).verified, false, `character ${at}`)
  }
})

test('a provider without a key set, and an issuer declared twice, are mistakes of whoever wires them', () => {
  const clock = fakeClock()
  const provider = providerOf('https://a.example')
  assert.throws(() => tokenVerifierOf([provider], new Map()), /has no key set/)
  const keySet = { whenDropped() {} } as unknown as KeySet
  const keySets = new Map([
    ['test', keySet],
    ['other', keySet],
  ])
  assert.throws(() => tokenVerifierOf([provider, { ...provider, name: 'other' }], keySets), /two providers/)
  function tokenVerifierOf(providers: Provider[], keySets: ReadonlyMap<string, KeySet>) {
    return tokenVerifier({ providers, keySets, clock })
  }
})
