import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { createIdentityVerifier, type HeaderSource, IdentityError, type IdentityVerifierOptions } from '../../src/sdk/upstream.ts'
import { loadIdentityKeys } from '../../src/tokens/identity-keys.ts'
import { fileWith, HUMAN, ISSUER, MACHINE, NOW, newKey, pkcs8, UNICODE_SUBJECT } from '../tokens/identity-fixtures.ts'
import { forge, issue, keys } from './signing.ts'

const HEADER = 'x-planegate-assertion'

function verifier(change: Partial<IdentityVerifierOptions> = {}) {
  const jwks = structuredClone(keys.jwks()) as never
  return createIdentityVerifier({ jwks, issuer: ISSUER, audience: 'accounts', now: () => NOW * 1000, ...change })
}

const failsWith =
  (code: string, status = 401) =>
  (error: unknown) => {
    assert.ok(error instanceof IdentityError, String(error))
    assert.equal(error.code, code, error.message)
    assert.equal(error.status, status)
    return true
  }

test('a person', async () => {
  const identity = await verifier().verify({ [HEADER]: issue({ forwardClaims: ['email'] }) })
  assert.ok(identity.plane === 'HUMAN')
  assert.deepEqual(
    { ...identity },
    {
      plane: 'HUMAN',
      actor: 'human',
      subject: 'user_2fLq',
      issuer: 'https://clerk.example.com',
      scopes: ['accounts:read', 'accounts:write'],
      roles: ['admin', 'viewer'],
      session: 'sess_81',
      accountId: 'acc_7',
      teamId: 'team_9',
      clientId: 'web',
      delegation: { sub: 'agent_3' },
      transaction: null,
      assertionId: identity.claim('jti'),
    },
  )
  assert.equal(identity.expiresAt.getTime(), (NOW + 60) * 1000)
  assert.equal(identity.claim('email'), 'ada@example.com')
  assert.equal(identity.claim('iss'), ISSUER)
  for (const name of ['absent', 'constructor', '__proto__', 'toString']) assert.equal(identity.claim(name), undefined)
})

test('a machine', async () => {
  const identity = await verifier().verify({ [HEADER]: issue({ principal: MACHINE }) })
  assert.ok(identity.plane === 'MACHINE')
  const { assertionId, ...said } = { ...identity }
  assert.equal(assertionId, identity.claim('jti'))
  assert.deepEqual(said, {
    plane: 'MACHINE',
    actor: 'service',
    subject: 'billing-worker',
    issuer: null,
    scopes: [],
    roles: [],
    accountId: null,
    teamId: null,
    clientId: 'k3yIdOf16Letters',
    delegation: null,
    transaction: null,
  })
})

test('scopes', async () => {
  const identity = await verifier().verify({ [HEADER]: issue() })
  assert.equal(identity.hasScope('accounts:read'), true)
  for (const scope of ['accounts', 'accounts:read accounts:write', '', 'ACCOUNTS:READ'])
    assert.equal(identity.hasScope(scope), false)
  assert.equal(identity.hasAnyScope('jobs:run', 'accounts:write'), true)
  assert.equal(identity.hasAnyScope('jobs:run'), false)
  assert.equal(identity.hasAnyScope(), false)
  const none = await verifier().verify({ [HEADER]: issue({ principal: MACHINE }) })
  assert.equal(none.hasScope(''), false)
})

test('expiry, by a date, by milliseconds and by the present', async () => {
  const identity = await verifier().verify({ [HEADER]: issue() })
  const end = (NOW + 60) * 1000
  assert.equal(identity.isExpired(end - 1), false)
  assert.equal(identity.isExpired(end), true)
  assert.equal(identity.isExpired(new Date(end - 1)), false)
  assert.equal(identity.isExpired(new Date(Number.NaN)), true)
  assert.equal(identity.isExpired(), Date.now() >= end)
})

test('what one request is given, it cannot change for the next', async () => {
  const shared = verifier()
  const assertion = issue({ forwardClaims: ['email'] })
  const identity = await shared.verify({ [HEADER]: assertion })
  identity.expiresAt.setTime(0)
  assert.throws(() => Object.assign(identity, { subject: 'root' }), TypeError)
  assert.throws(() => (identity.scopes as string[]).push('admin'), TypeError)
  assert.throws(() => (identity.roles as string[]).push('admin'), TypeError)
  assert.throws(() => Object.assign(identity.delegation ?? {}, { sub: 'root' }), TypeError)
  assert.throws(() => Object.assign(identity.claim('ext') as object, { email: 'root' }), TypeError)
  assert.equal(await shared.verify({ [HEADER]: assertion }), identity)
  assert.equal(identity.expiresAt.getTime(), (NOW + 60) * 1000)
})

test('a subject in Unicode', async () => {
  const identity = await verifier().verify({ [HEADER]: issue({ principal: { ...HUMAN, subject: UNICODE_SUBJECT } }) })
  assert.equal(identity.subject, UNICODE_SUBJECT)
})

test('a Txn-Token says which request it was made for', async () => {
  const token = issue({ binding: 'request' })
  for (const change of [{}, { header: 'Txn-Token' }]) {
    const identity = await verifier(change).verify({ 'txn-token': token })
    assert.deepEqual(identity.transaction, { id: decodeJwt(token).txn, method: 'GET', route: 'accounts-read' })
  }
})

const text = issue()
for (const { name, source, change = {} } of [
  { name: 'a record of headers', source: { [HEADER]: text } },
  { name: 'a record with another spelling', source: { 'X-Planegate-Assertion': text } },
  { name: 'a record with lists', source: { [HEADER]: [text] } },
  { name: 'a record with a header called headers', source: { headers: 'x', [HEADER]: text } },
  { name: 'Fetch headers', source: new Headers({ [HEADER]: text }) },
  { name: 'a Fetch request', source: new Request('http://127.0.0.1/', { headers: { [HEADER]: text } }) },
  { name: 'a request of Node', source: { headers: { [HEADER]: text }, rawHeaders: ['X-Planegate-Assertion', text] } },
  { name: 'another name, as configured', source: { 'x-who': text }, change: { header: 'X-Who' } },
] as { name: string; source: HeaderSource; change?: Partial<IdentityVerifierOptions> }[]) {
  test(`reads ${name}`, async () => {
    assert.equal((await verifier(change).verify(source)).subject, HUMAN.subject)
  })
}

const good = decodeJwt(text)
const [head = '', payload = '', signature = ''] = text.split('.')
const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const alien = loadIdentityKeys({ keyFile: fileWith(pkcs8(newKey('EdDSA'))), previousKeyFiles: [] })
const otherSignature = issue({ principal: { ...HUMAN, subject: 'x' } }).split('.')[2]
const hmac = (input: string) => createHmac('sha256', JSON.stringify(keys.jwks().keys[0])).update(input).digest('base64url')

const carriers: readonly { name: string; source: HeaderSource; code: string }[] = [
  { name: 'no header', source: {}, code: 'identity-missing' },
  { name: 'no header in Fetch headers', source: new Headers(), code: 'identity-missing' },
  {
    name: 'a header of a similar name',
    source: { x_planegate_assertion: text, 'x-planegate-assertion-2': text },
    code: 'identity-missing',
  },
  { name: 'an empty header', source: { [HEADER]: '' }, code: 'identity-invalid' },
  { name: 'a list of two', source: { [HEADER]: [text, text] }, code: 'identity-invalid' },
  { name: 'two spellings of one name', source: { [HEADER]: text, 'X-Planegate-Assertion': text }, code: 'identity-invalid' },
  { name: 'two joined, as Node does it', source: { [HEADER]: `${text}, ${text}` }, code: 'identity-invalid' },
  {
    name: 'two in Fetch headers',
    source: new Headers([
      [HEADER, text],
      [HEADER, text],
    ]),
    code: 'identity-invalid',
  },
  {
    name: 'two on the wire, of which the framework shows one',
    source: { headers: { [HEADER]: text }, rawHeaders: ['X-Planegate-Assertion', text, HEADER, text] },
    code: 'identity-invalid',
  },
  {
    name: 'two on the wire, under Fastify',
    source: { headers: { [HEADER]: text }, raw: { rawHeaders: ['X-Planegate-Assertion', text, HEADER, 'x'] } },
    code: 'identity-invalid',
  },
  {
    name: 'an assertion beside a Txn-Token',
    source: { [HEADER]: text, 'txn-token': issue({ binding: 'request' }) },
    code: 'identity-invalid',
  },
  { name: 'an assertion as a Txn-Token', source: { 'txn-token': text }, code: 'identity-invalid' },
  { name: 'a Txn-Token as an assertion', source: { [HEADER]: issue({ binding: 'request' }) }, code: 'identity-invalid' },
  { name: 'undefined', source: undefined as never, code: 'identity-invalid' },
  { name: 'null', source: null as never, code: 'identity-invalid' },
  { name: 'a header that is no text', source: { [HEADER]: 7 } as never, code: 'identity-invalid' },
  { name: 'a list with what is no text', source: { [HEADER]: [{}] } as never, code: 'identity-invalid' },
  { name: 'raw headers that are no list', source: { headers: {}, rawHeaders: 7 } as never, code: 'identity-invalid' },
]

const texts: readonly { name: string; text: string | Promise<string>; code?: string }[] = [
  { name: 'garbage', text: 'garbage' },
  { name: 'garbage in three parts', text: 'a.b.c' },
  { name: 'a scheme before it', text: `Bearer ${text}` },
  { name: 'five parts', text: `${text}.a.b` },
  { name: 'more than the gateway ever writes', text: `${head}.${'A'.repeat(8192)}.${signature}` },
  { name: 'other claims under the signature', text: `${head}.${segment({ ...good, sub: 'root' })}.${signature}` },
  { name: 'another signature', text: `${head}.${payload}.${otherSignature}` },
  { name: 'no signature', text: `${head}.${payload}.AA` },
  { name: 'alg none', text: `${segment({ alg: 'none', typ: 'planegate-identity+jwt', kid: keys.current.kid })}.${payload}.AA` },
  {
    name: 'alg HS256 with the public key as the secret',
    text: ((first) => `${first}.${hmac(first)}`)(
      `${segment({ alg: 'HS256', typ: 'planegate-identity+jwt', kid: keys.current.kid })}.${payload}`,
    ),
  },
  { name: 'a key of somebody else', text: issue({ with: alien }) },
  {
    name: 'a key of somebody else under our kid',
    text: issue({ with: { ...alien, current: { ...alien.current, kid: keys.current.kid } } }),
  },
  { name: 'no kid', text: forge(good, { kid: undefined }) },
  { name: 'typ JWT', text: forge(good, { typ: 'JWT' }) },
  { name: 'no typ', text: forge(good, { typ: undefined }) },
  { name: 'a typ that begins alike', text: forge(good, { typ: 'planegate-identity+jwt2' }) },
  {
    name: 'an unknown critical header',
    text: forge(good, { 'urn:x': 1 }).then(
      (jws) =>
        `${segment({ ...JSON.parse(Buffer.from(head, 'base64url').toString()), crit: ['urn:x'], 'urn:x': 1 })}.${jws.split('.').slice(1).join('.')}`,
    ),
  },
  { name: 'another audience', text: forge({ ...good, aud: 'reports' }) },
  { name: 'an audience that begins alike', text: forge({ ...good, aud: 'accounts2' }) },
  { name: 'no audience', text: forge({ ...good, aud: undefined }) },
  { name: 'another issuer', text: forge({ ...good, iss: 'https://api.example.com/' }) },
  { name: 'no issuer', text: forge({ ...good, iss: undefined }) },
  { name: 'an end in the past', text: issue({ at: NOW - 66 }), code: 'identity-expired' },
  { name: 'no end', text: forge({ ...good, exp: undefined }) },
  { name: 'an end that is no whole number', text: forge({ ...good, exp: NOW + 0.5 }) },
  { name: 'a beginning in the future', text: forge({ ...good, nbf: NOW + 60 }) },
  { name: 'no iat', text: forge({ ...good, iat: undefined }) },
  { name: 'no subject', text: forge({ ...good, sub: undefined }) },
  { name: 'an empty subject', text: forge({ ...good, sub: '' }) },
  { name: 'a subject that is no text', text: forge({ ...good, sub: 7 }) },
  { name: 'no jti', text: forge({ ...good, jti: undefined }) },
  { name: 'no plane', text: forge({ ...good, plane: undefined }) },
  { name: 'an unknown plane', text: forge({ ...good, plane: 'BOTH' }) },
  { name: 'a machine as a human', text: forge({ ...good, actor: 'service' }) },
  { name: 'the actor that never comes from the network', text: forge({ ...good, plane: 'MACHINE', actor: 'system' }) },
  { name: 'no scope', text: forge({ ...good, scope: undefined }) },
  { name: 'scopes as a list', text: forge({ ...good, scope: ['accounts:read'] }) },
  { name: 'roles as text', text: forge({ ...good, roles: 'admin' }) },
  { name: 'a session that is no text', text: forge({ ...good, sid: { toString: 'x' } }) },
  { name: 'a delegation that is a list', text: forge({ ...good, act: [] }) },
  { name: 'claims forwarded as text', text: forge({ ...good, ext: 'x' }) },
]

test('accepts the claims that the refusals below start from', async () => {
  assert.equal((await verifier().verify({ [HEADER]: await forge(good) })).subject, HUMAN.subject)
})

for (const { name, source, code } of carriers) {
  test(`refuses ${name}`, () => assert.rejects(verifier().verify(source), failsWith(code)))
}
for (const { name, text, code = 'identity-invalid' } of texts) {
  test(`refuses ${name}`, async () => {
    const own = verifier()
    const [assertion, jwk] = [await text, keys.jwks().keys[0]]
    assert.ok(jwk)
    // Twice: what was refused once must not be remembered as good.
    for (const _ of [1, 2]) {
      await assert.rejects(own.verify({ [HEADER]: assertion }), (error) => {
        failsWith(code)(error)
        const seen = JSON.stringify({ ...(error as Error), message: (error as Error).message, cause: (error as Error).cause })
        for (const secret of [assertion, HUMAN.subject, String(HUMAN.session)])
          assert.ok(!seen.includes(secret), 'quotes what it refused')
        return true
      })
    }
  })
}

test('the clocks may differ by the tolerance, and by no more', async () => {
  const assertion = issue()
  const at = (seconds: number, clockTolerance?: number) =>
    verifier({ now: () => (NOW + 60 + seconds) * 1000, ...(clockTolerance === undefined ? {} : { clockTolerance }) }).verify({
      [HEADER]: assertion,
    })
  assert.equal((await at(4)).subject, HUMAN.subject)
  await assert.rejects(at(5), failsWith('identity-expired'))
  await assert.rejects(at(0, 0), failsWith('identity-expired'))
})

test('what is remembered ends with the assertion', async () => {
  let now = NOW
  const own = verifier({ now: () => now * 1000 })
  const assertion = issue()
  const identity = await own.verify({ [HEADER]: assertion })
  now = NOW + 64
  assert.equal(await own.verify({ [HEADER]: assertion }), identity)
  now = NOW + 65
  await assert.rejects(own.verify({ [HEADER]: assertion }), failsWith('identity-expired'))
})

for (const { name, cacheSize, again } of [
  { name: 'only so many are remembered, the oldest goes', cacheSize: 2, again: [false, true, true] },
  { name: 'none are remembered with cacheSize 0', cacheSize: 0, again: [false, false, false] },
]) {
  test(name, async () => {
    const own = verifier({ cacheSize })
    const assertions = ['a', 'b', 'c'].map((subject) => issue({ principal: { ...HUMAN, subject } }))
    const first: unknown[] = []
    for (const assertion of assertions) first.push(await own.verify({ [HEADER]: assertion }))
    // From the newest back, so that looking does not push out what is looked for next.
    const second = []
    for (const assertion of assertions.toReversed()) second.unshift(await own.verify({ [HEADER]: assertion }))
    assert.deepEqual(
      second.map((identity, index) => identity === first[index]),
      again,
    )
    assert.deepEqual(
      second.map(({ subject }) => subject),
      ['a', 'b', 'c'],
    )
  })
}

test('a Txn-Token is not remembered', async () => {
  const own = verifier()
  const headers = { 'txn-token': issue({ binding: 'request' }) }
  assert.notEqual(await own.verify(headers), await own.verify(headers))
})

for (const { name, options, says } of [
  { name: 'no audience', options: { gateway: ISSUER }, says: /`audience` must be given/ },
  { name: 'an empty audience', options: { gateway: ISSUER, audience: '' }, says: /`audience` must be given/ },
  { name: 'neither gateway nor keys', options: { issuer: ISSUER, audience: 'accounts' }, says: /give `gateway`/ },
  { name: 'keys without an issuer', options: { jwks: { keys: [] }, audience: 'accounts' }, says: /`issuer` must be given/ },
  {
    name: 'a key set by its address without an issuer',
    options: { gateway: `${ISSUER}/keys.json`, audience: 'accounts' },
    says: /`issuer`/,
  },
  {
    name: 'a gateway over plain http',
    options: { gateway: 'http://gateway.internal:8080', audience: 'accounts' },
    says: /must be https:/,
  },
  {
    name: 'a gateway over another protocol',
    options: { gateway: 'file:///etc/keys', audience: 'a', insecureHttp: true },
    says: /must be https:/,
  },
] as { name: string; options: IdentityVerifierOptions; says: RegExp }[]) {
  test(`cannot be made with ${name}`, () => {
    assert.throws(() => createIdentityVerifier(options), says)
  })
}
