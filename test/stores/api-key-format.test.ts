import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { isApiKeyId } from '../../src/domain/key-fields.ts'
import { digestApiKey, keyEnvironment, mintApiKey, parseApiKey } from '../../src/stores/api-keys/format.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A key with a right checksum around a body of one's own. */
function sealed(body: string): string {
  let rest = crc32(body)
  let sum = ''
  for (let digit = 0; digit < 6; digit += 1) {
    sum = ALPHABET.charAt(rest % 62) + sum
    rest = Math.floor(rest / 62)
  }
  return body + sum
}

const environments = fc.constantFrom('dev' as const, 'stg' as const, 'prod' as const)
const minted = environments.map((environment) => ({ environment, ...mintApiKey(environment) }))

describe('API key format', () => {
  it('mints keys that it reads back, with the digest of their whole text', () => {
    fc.assert(
      fc.property(minted, ({ environment, id, key, digest }) => {
        assert.match(key, /^pgk_(dev|stg|prod)_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/)
        assert.deepEqual(parseApiKey(key), { environment, id })
        assert.equal(digest, createHash('sha256').update(key).digest('hex'))
        assert.equal(digestApiKey(key), digest)
        assert.ok(isApiKeyId(id))
      }),
    )
  })

  it('names the environment of a gateway', () => {
    assert.deepEqual(
      ['development', 'staging', 'production'].map((name) => keyEnvironment(name as 'staging')),
      ['dev', 'stg', 'prod'],
    )
  })

  it('never mints one id or key twice, and uses every letter about equally often', () => {
    const keys = Array.from({ length: 4000 }, () => mintApiKey('dev'))
    assert.equal(new Set(keys.map((key) => key.id)).size, keys.length)
    assert.equal(new Set(keys.map((key) => key.key)).size, keys.length)
    const counts = new Map<string, number>()
    for (const letter of keys.flatMap((key) => [...key.id])) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    const expected = (keys.length * 16) / 62
    // 10 standard deviations either way; a byte taken modulo 62 would make the first 8 letters 24 % more frequent.
    for (const letter of ALPHABET)
      assert.ok(Math.abs((counts.get(letter) ?? 0) - expected) < 10 * Math.sqrt(expected) * 0.7, letter)
  })

  it('refuses every change of a single character', () => {
    const anyCharacter = fc.oneof(fc.constantFrom(...ALPHABET), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))
    fc.assert(
      fc.property(minted, fc.nat(), anyCharacter, ({ key }, place, character) => {
        const at = place % key.length
        const changed = key.slice(0, at) + character + key.slice(at + 1)
        assert.equal(parseApiKey(changed) === null, changed !== key)
      }),
      { numRuns: 5000 },
    )
  })

  it('refuses every letter of the alphabet in every place of one key', () => {
    const { key } = mintApiKey('prod')
    for (let at = 0; at < key.length; at += 1) {
      for (const letter of ALPHABET.replace(key.charAt(at), '')) {
        assert.equal(parseApiKey(key.slice(0, at) + letter + key.slice(at + 1)), null, `${letter} at ${at}`)
      }
    }
  })

  it('refuses every other text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (text) => assert.equal(parseApiKey(text), null)))
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) =>
        assert.equal(parseApiKey(sealed(`pgk_dev_${text}`)), null),
      ),
    )
  })

  const key = sealed(`pgk_dev_0123456789abcdef_${'0'.repeat(43)}`)
  const changes: readonly (readonly [string, string])[] = [
    ['empty', ''],
    ['a space before', ` ${key}`],
    ['a line break after', `${key}\n`],
    ['a NUL after', `${key}\0`],
    ['cut by one', key.slice(0, -1)],
    ['one more', `${key}0`],
    ['twice', key + key],
    ['upper-case prefix', key.replace('pgk', 'PGK')],
    ['letters swapped', key.replace('0123', '1023')],
    ['unknown environment', sealed(`pgk_tst_0123456789abcdef_${'0'.repeat(43)}`)],
    ['a property of every object as environment', sealed(`pgk_constructor_0123456789abcdef_${'0'.repeat(43)}`)],
    ['upper-case environment', sealed(`pgk_DEV_0123456789abcdef_${'0'.repeat(43)}`)],
    ['an id with a letter outside ASCII', sealed(`pgk_dev_0123456789abcdeé_${'0'.repeat(43)}`)],
    ['an id too short', sealed(`pgk_dev_0123456789abcde_${'0'.repeat(43)}`)],
    ['a secret too short', sealed(`pgk_dev_0123456789abcdef_${'0'.repeat(42)}`)],
    ['a secret that 256 bits cannot hold', sealed(`pgk_dev_0123456789abcdef_${'z'.repeat(43)}`)],
  ]
  it('accepts the key that the table changes', () =>
    assert.deepEqual(parseApiKey(key), { environment: 'dev', id: '0123456789abcdef' }))
  for (const [name, text] of changes) it(`refuses: ${name}`, () => assert.equal(parseApiKey(text), null))

  it('ends exactly at 2^256 - 1', () => {
    let rest = 2n ** 256n - 1n
    let largest = ''
    for (let digit = 0; digit < 43; digit += 1) {
      largest = ALPHABET.charAt(Number(rest % 62n)) + largest
      rest /= 62n
    }
    const next = largest.slice(0, -1) + ALPHABET.charAt(ALPHABET.indexOf(largest.slice(-1)) + 1)
    assert.equal(next.length, 43)
    assert.notEqual(parseApiKey(sealed(`pgk_dev_0123456789abcdef_${largest}`)), null)
    assert.equal(parseApiKey(sealed(`pgk_dev_0123456789abcdef_${next}`)), null)
  })
})
