import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Provider } from '../../../src/domain/provider.ts'
import type { KeySet } from '../../../src/stores/jose/key-set.ts'
import { providerChecks } from '../../../src/stores/jose/provider-checks.ts'
import { fakeClock, json, openIssuer, openVerifier, PUBLISHED, providerOf, type TestIssuer } from './issuer.ts'

const NAMES = ['issuer', 'audience', 'algorithms', 'jwks_source', 'jwks_reachable', 'jwks_usable_key']
const KEYS = ['jwks_reachable', 'jwks_usable_key']

test('each provider has six checks, and each finds its own fault', async (t) => {
  const rows: [name: string, change: (issuer: TestIssuer) => Partial<Provider>, failing: string[]][] = [
    ['all is well', () => ({}), []],
    ['all is well by discovery', () => ({ keys: { from: 'discovery' } }), []],
    ['issuer over plain http', () => ({ issuer: 'http://issuer.example' }), ['issuer']],
    ['issuer is no URL', () => ({ issuer: 'issuer' }), ['issuer']],
    ['no audience', () => ({ audiences: [] }), ['audience']],
    ['no algorithm', () => ({ algorithms: [] }), ['algorithms', 'jwks_usable_key']],
    ['no key for the algorithm', () => ({ algorithms: ['ES384'] }), ['jwks_usable_key']],
    ['source over plain http', () => ({ keys: { from: 'url', url: 'http://keys.example/' } }), ['jwks_source', ...KEYS]],
    ['source answers 404', ({ origin }) => ({ keys: { from: 'url', url: `${origin}/none` } }), KEYS],
    ['source is down', () => ({ keys: { from: 'url', url: 'http://127.0.0.1:1/' } }), KEYS],
    ['no such file', () => ({ keys: { from: 'file', path: '/nonexistent/keys.json' } }), KEYS],
    [
      'metadata of another issuer',
      ({ origin }) => ({ issuer: `${origin}/other`, keys: { from: 'discovery' } }),
      ['issuer', 'jwks_source', ...KEYS],
    ],
  ]
  for (const [name, change, failing] of rows) {
    await t.test(name, async (t) => {
      const issuer = await openIssuer(t)
      issuer.publish(PUBLISHED)
      if (name.includes('another')) issuer.answer((_request, response) => json(response, { issuer: issuer.origin }))
      const provider = providerOf(issuer.origin, change(issuer))
      const keySet = openVerifier(t, { providers: [provider], clock: fakeClock() }).keySets.get('test') as KeySet
      const checks = await providerChecks(provider, keySet)
      assert.deepEqual(
        checks.map((check) => check.name),
        NAMES,
      )
      assert.deepEqual(
        checks.filter(({ ok }) => !ok).map((check) => check.name),
        failing,
      )
      for (const check of checks) assert.deepEqual([check.provider, check.detail !== ''], ['test', true])
    })
  }
})

test('checks of a silent issuer end within five seconds', async (t) => {
  const issuer = await openIssuer(t)
  issuer.answer(() => {})
  const provider = providerOf(issuer.origin, { keys: { from: 'discovery' } })
  const keySet = openVerifier(t, { providers: [provider], clock: fakeClock() }).keySets.get('test') as KeySet
  const before = performance.now()
  const checks = await providerChecks(provider, keySet)
  assert.ok(performance.now() - before < 5000)
  assert.deepEqual(
    checks.filter(({ ok }) => !ok).map(({ name, detail }) => [name, detail]),
    [
      ['jwks_reachable', 'timeout'],
      ['jwks_usable_key', 'no key fits one of the algorithms'],
    ],
  )
})
