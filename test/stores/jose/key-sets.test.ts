import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Provider } from '../../../src/domain/provider.ts'
import { keySetsOf } from '../../../src/stores/jose/key-sets.ts'

const clock = { now: () => 0, monotonic: () => 0 }
const provider = (name: string, issuer: string): Provider => ({
  name,
  issuer,
  plane: { fixed: 'HUMAN' },
  audiences: ['api'],
  algorithms: ['EdDSA'],
  keys: { from: 'discovery' },
  types: ['JWT'],
  clockSkew: 0,
  requiredClaims: [],
  claims: { subject: 'sub', session: 'sid', scopes: 'scope', roles: 'roles', account: 'a', team: 't' },
  source: 'gateway.yaml:1',
})

test('every provider has a key set of its own', () => {
  const keySets = keySetsOf([provider('a', 'https://a.example'), provider('b', 'https://b.example')], { clock })
  assert.deepEqual([...keySets.keys()], ['a', 'b'])
  assert.notEqual(keySets.get('a'), keySets.get('b'))
  for (const keySet of keySets.values()) keySet.close()
})

test('two providers of one name are refused: the keys of one would verify the tokens of the other', () => {
  const providers = [provider('development', 'https://a.example'), provider('development', 'https://b.example')]
  assert.throws(() => keySetsOf(providers, { clock }), { message: 'two providers are called development' })
})
