import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { KeySet } from '../../../src/stores/jose/key-set.ts'
import { forgingKey, publicJwk } from '../../attack/forge.ts'
import { fakeClock, openVerifier, providerOf } from './issuer.ts'

const RSA = forgingKey('RS256', 'r')
const WEAK = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
const jwk = publicJwk(RSA)

async function keyFile(t: TestContext, content: string): Promise<{ keySet: KeySet; path: string; advance(ms: number): void }> {
  const folder = await mkdtemp(join(tmpdir(), 'planegate-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'keys.json')
  await writeFile(path, content)
  const clock = fakeClock()
  const { keySets } = openVerifier(t, {
    providers: [providerOf('https://issuer.example', { keys: { from: 'file', path } })],
    clock,
  })
  return { keySet: keySets.get('test') as KeySet, path, advance: clock.advance }
}

test('the mistakes of a key file are named', async (t) => {
  const rows: [name: string, content: unknown, message: RegExp][] = [
    ['no JSON', 'keys:', /is not one JSON object/],
    ['no key set', { key: jwk }, /not-a-key-set/],
    ['empty', { keys: [] }, /no key for signatures/],
    ['only for encryption', { keys: [{ ...jwk, use: 'enc' }] }, /no key for signatures/],
    ['a private key', { keys: [jwk, RSA.privateKey.export({ format: 'jwk' })] }, /keys\[1\]: secret-published/],
    ['a shared secret', { keys: [{ kty: 'oct', k: 'AAAA' }] }, /keys\[0\]: secret-published/],
    ['a weak key', { keys: [jwk, WEAK] }, /keys\[1\]: too-weak/],
    ['an exponent of one', { keys: [{ ...jwk, e: 'AQ' }] }, /keys\[0\]: (too-weak|malformed)/],
    ['half a key', { keys: [{ kty: 'EC', crv: 'P-256', x: 'AAAA' }] }, /keys\[0\]: malformed/],
    [
      'a point off the curve',
      { keys: [{ kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }] },
      /keys\[0\]: malformed/,
    ],
    ['a kid that is no text', { keys: [{ ...jwk, kid: 1 }] }, /keys\[0\]: kid-invalid/],
    ['no key at all', { keys: ['x'] }, /keys\[0\]: not-a-key/],
  ]
  for (const [name, content, message] of rows) {
    await t.test(name, async (t) => {
      const { keySet, path } = await keyFile(t, typeof content === 'string' ? content : JSON.stringify(content))
      await assert.rejects(keySet.prepare(), (error: Error) => {
        assert.match(error.message, message)
        if (name !== 'no key set') assert.ok(error.message.includes(path))
        return true
      })
    })
  }
})

test('keys are chosen by kid, type and purpose', async (t) => {
  const ed = publicJwk(forgingKey('EdDSA', 'e'))
  const kidless = { ...publicJwk(forgingKey('ES256')), kid: undefined }
  const any = { ...publicJwk(forgingKey('RS256', 'any')), alg: undefined }
  const signing = { ...publicJwk(forgingKey('RS256', 'ops')), key_ops: ['sign'] }
  const { keySet } = await keyFile(
    t,
    JSON.stringify({ keys: [jwk, ed, kidless, any, signing, { kty: 'EC', crv: 'secp256k1', kid: 's' }] }),
  )
  await keySet.prepare()
  const found = (kid: string | null, algorithm: 'RS256' | 'PS512' | 'ES256' | 'ES384' | 'EdDSA' | 'Ed25519') => {
    const key = keySet.find(kid, algorithm)
    assert.ok(!(key instanceof Promise), 'nothing is fetched for a file')
    return typeof key === 'string' ? key : key.id
  }
  assert.equal(found('r', 'RS256'), 'r')
  assert.equal(found('r', 'PS512'), 'key-unfit', 'the key says RS256')
  assert.equal(found('any', 'PS512'), 'any', 'the key says nothing')
  assert.equal(found('e', 'EdDSA'), 'e')
  assert.equal(found('e', 'Ed25519'), 'e')
  assert.equal(found('ops', 'RS256'), 'signing-key-unknown')
  assert.equal(found('s', 'ES256'), 'signing-key-unknown')
  assert.equal(found(null, 'RS256'), 'key-undecided')
  assert.match(found(null, 'ES256'), /^[0-9a-f]{16}$/)
  assert.equal(found(null, 'ES384'), 'signing-key-unknown')
})

test('of two keys with one kid the first that fits is taken', async (t) => {
  const twin = publicJwk(forgingKey('RS256', 'r'))
  const other = publicJwk(forgingKey('ES256', 'r'))
  const { keySet } = await keyFile(t, JSON.stringify({ keys: [other, jwk, twin] }))
  await keySet.prepare()
  const key = await keySet.find('r', 'RS256')
  assert.equal(typeof key === 'object' && key.publicKey.equals(RSA.publicKey), true)
})

test('a key file is read once; one that was not there is looked for again', async (t) => {
  const { keySet, path, advance } = await keyFile(t, JSON.stringify({ keys: [jwk] }))
  await rm(path)
  await assert.rejects(keySet.prepare(), /cannot be read/)
  await writeFile(path, JSON.stringify({ keys: [jwk] }))
  advance(1000)
  await keySet.prepare()
  await rm(path)
  advance(86_400_000)
  await keySet.prepare()
  assert.deepEqual(keySet.state().keyIds, ['r'])
  assert.equal(keySet.state().ageMs, 86_400_000)
})
