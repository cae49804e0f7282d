import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { importJWK } from 'jose'
import { IdentityKeyError, keyIdOf, loadIdentityKeys } from '../../src/tokens/identity-keys.ts'
import { fileWith, newKey, pkcs8 } from './identity-fixtures.ts'

const ed25519 = newKey('EdDSA')
const p256 = newKey('ES256')
const rsa = newKey('RS256')

const pem = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1') =>
  key.export({ type, format: 'pem' } as { type: 'pkcs8'; format: 'pem' }).toString()
const publicPem = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()

const load = (text: string, previous: string[] = []) =>
  loadIdentityKeys({ keyFile: fileWith(text), previousKeyFiles: previous.map((item) => fileWith(item)) })

const EC_PARAMETERS = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'

for (const { name, text, alg, key } of [
  { name: 'Ed25519 in PKCS#8', text: pkcs8(ed25519), alg: 'EdDSA', key: ed25519 },
  { name: 'P-256 in PKCS#8', text: pkcs8(p256), alg: 'ES256', key: p256 },
  { name: 'P-256 in SEC 1', text: pem(p256, 'sec1'), alg: 'ES256', key: p256 },
  {
    name: 'P-256 in SEC 1 after its parameters, as openssl ecparam writes it',
    text: EC_PARAMETERS + pem(p256, 'sec1'),
    alg: 'ES256',
    key: p256,
  },
  { name: 'RSA in PKCS#8', text: pkcs8(rsa), alg: 'RS256', key: rsa },
  { name: 'RSA in PKCS#1', text: pem(rsa, 'pkcs1'), alg: 'RS256', key: rsa },
]) {
  test(`signs with ${name}`, async () => {
    const keys = load(text)
    assert.equal(keys.current.algorithm, alg)
    assert.equal(keys.current.kid, keyIdOf(createPublicKey(key)))

    const signature = Buffer.from(keys.current.sign('header.payload'), 'base64url')
    const digest = alg === 'EdDSA' ? null : 'sha256'
    const publicKey = { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' } as const
    assert.ok(verify(digest, Buffer.from('header.payload'), publicKey, signature))
    assert.ok(!verify(digest, Buffer.from('header.payloae'), publicKey, signature))
  })

  test(`publishes only the public members of ${name}`, async () => {
    const [jwk, ...others] = load(text).jwks().keys
    assert.ok(jwk)
    assert.deepEqual(others, [])
    const members = { EdDSA: ['crv', 'x'], ES256: ['crv', 'x', 'y'], RS256: ['e', 'n'] }[alg] ?? []
    assert.deepEqual(Object.keys(jwk).sort(), ['alg', ...members, 'kid', 'kty', 'use'].sort())
    assert.equal(jwk.use, 'sig')
    assert.equal(jwk.alg, alg)
    const imported = await importJWK({ ...jwk })
    assert.equal((imported as CryptoKey).type, 'public')
  })
}

test('the key id is the first 16 hex digits of the SHA-256 of the SPKI', () => {
  const der = createPublicKey(ed25519).export({ type: 'spki', format: 'der' })
  assert.equal(load(pkcs8(ed25519)).current.kid, createHash('sha256').update(der).digest('hex').slice(0, 16))
})

test('previous keys are published after the current one, from private and from public files', () => {
  const keys = load(pkcs8(ed25519), [pem(rsa, 'pkcs1'), publicPem(p256)])
  assert.deepEqual(
    keys.jwks().keys.map(({ kid }) => kid),
    [ed25519, rsa, p256].map((key) => keyIdOf(createPublicKey(key))),
  )
  assert.doesNotMatch(JSON.stringify(keys.jwks()), /"(d|p|q|dp|dq|qi)":/)
})

test('a key that is listed twice is published once', () => {
  const keys = load(pkcs8(ed25519), [publicPem(ed25519), pkcs8(ed25519), publicPem(p256), publicPem(p256)])
  assert.equal(keys.jwks().keys.length, 2)
})

const refusals: readonly { name: string; text: string; says: RegExp }[] = [
  { name: 'an empty file', text: '\n', says: /is empty; make one with "planegate init"/ },
  { name: 'a file that is not PEM', text: '{"kty":"OKP"}', says: /is not PEM; make one/ },
  {
    name: 'a damaged key',
    text: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
    says: /holds no PEM key that can be read/,
  },
  {
    name: 'an encrypted PKCS#8 key',
    text: ed25519.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
    says: /is encrypted.*decrypt it with "openssl pkey/,
  },
  {
    name: 'an encrypted PKCS#1 key',
    text: rsa.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
    says: /is encrypted/,
  },
  {
    name: 'P-384',
    text: pkcs8(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey),
    says: /curve secp384r1.*needs P-256/,
  },
  { name: 'secp256k1', text: pkcs8(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey), says: /curve secp256k1/ },
  {
    name: 'RSA of 1024 bits',
    text: pkcs8(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey),
    says: /1024 bits.*at least 2048/,
  },
  { name: 'RSA-PSS', text: pkcs8(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey), says: /type rsa-pss/ },
  { name: 'Ed448', text: pkcs8(generateKeyPairSync('ed448').privateKey), says: /type ed448/ },
  { name: 'X25519', text: pkcs8(generateKeyPairSync('x25519').privateKey), says: /type x25519/ },
]

/** The sentences, with the folder names of the test taken out. */
function problemsOf(load: () => unknown): readonly string[] {
  try {
    load()
  } catch (error) {
    assert.ok(error instanceof IdentityKeyError, String(error))
    return error.faults.map(({ sentence }) => sentence)
  }
  return assert.fail('was accepted')
}

for (const { name, text, says } of refusals) {
  test(`refuses ${name}, as the current and as a previous key`, () => {
    const file = fileWith(text)
    const good = fileWith(pkcs8(ed25519))
    for (const files of [
      { keyFile: file, previousKeyFiles: [] },
      { keyFile: good, previousKeyFiles: [file] },
    ]) {
      const problems = problemsOf(() => loadIdentityKeys(files))
      assert.equal(problems.length, 1)
      const [problem = ''] = problems
      assert.match(problem, says)
      assert.ok(problem.startsWith(`identity key ${file} `), problem)
      const body = text.split('\n')[1]
      if (body) assert.ok(!problem.includes(body), 'quotes the file')
    }
  })
}

test('refuses a public key as the current key', () => {
  assert.match(problemsOf(() => load(publicPem(ed25519))).join(), /holds no private key, and the identity key has to sign/)
})

test('says how to make a file that does not exist', () => {
  const keyFile = join(tmpdir(), 'planegate-no-such-folder', 'identity.pem')
  const [problem = ''] = problemsOf(() => loadIdentityKeys({ keyFile, previousKeyFiles: [] }))
  assert.equal(
    problem,
    `identity key ${keyFile} does not exist; make one with "planegate init" or "openssl genpkey -algorithm ed25519 -out ${keyFile}"`,
  )
})

test('refuses a folder', () => {
  const folder = join(dirname(fileWith('')), 'keys')
  mkdirSync(folder)
  assert.match(problemsOf(() => loadIdentityKeys({ keyFile: folder, previousKeyFiles: [] })).join(), /cannot be read \(EISDIR\)/)
})

test('lists every unusable file at once', () => {
  const problems = problemsOf(() => load('', ['nothing', publicPem(p256), pkcs8(generateKeyPairSync('ed448').privateKey)]))
  assert.equal(problems.length, 3)
})
