import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Verification } from '../../../src/ports/verifier.ts'
import type { KeySet } from '../../../src/stores/jose/key-set.ts'
import type { VerificationKey } from '../../../src/stores/jose/verification-key.ts'
import { type VerifiedToken, VerifiedTokens } from '../../../src/stores/jose/verified-tokens.ts'

const keySet = { trusts: () => true } as unknown as KeySet

function tokenOf(keyId: string, exp = 1000): VerifiedToken {
  const verification: Verification = { verified: false, reason: 'expired', credentialId: keyId }
  return { verification, exp, provider: 'p', keySet, key: { id: keyId } as VerificationKey }
}

test('whatever is done to it, it holds the most recently used tokens, at most its capacity', () => {
  const digest = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const step = fc.oneof(
    fc.record({ act: fc.constant('put' as const), digest }),
    fc.record({ act: fc.constant('get' as const), digest }),
    fc.record({ act: fc.constant('forget' as const), digest }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, capacity) => {
      const tokens = new VerifiedTokens(capacity)
      let model: string[] = []
      for (const { act, digest } of steps) {
        const known = model.includes(digest)
        const rest = model.filter((other) => other !== digest)
        if (act === 'put') tokens.put(digest, tokenOf(digest), 0)
        else if (act === 'forget') tokens.forgetKey('p', digest)
        else assert.equal(tokens.get(digest, 0) !== undefined, known, `get ${digest}`)
        model = act === 'forget' || (act === 'get' && !known) ? rest : [...rest, digest].slice(-capacity)
        assert.equal(tokens.size, model.length)
      }
      for (const digest of model) assert.ok(tokens.get(digest, 0))
    }),
  )
})

test('a token is kept neither at its end nor when its key is no longer trusted', () => {
  const tokens = new VerifiedTokens(10)
  tokens.put('expired', tokenOf('k', 5), 5000)
  assert.equal(tokens.size, 0)
  tokens.put('a', tokenOf('k', 5), 4999)
  assert.ok(tokens.get('a', 4999))
  assert.equal(tokens.get('a', 5000), undefined)
  tokens.put('b', { ...tokenOf('k'), keySet: { trusts: () => false } as unknown as KeySet }, 0)
  assert.equal(tokens.get('b', 0), undefined)
  assert.equal(tokens.size, 0)
})
