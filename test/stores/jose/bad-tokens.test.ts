import assert from 'node:assert/strict'
import { test } from 'node:test'
import { badTokens, goodClaims, goodHeader } from '../../attack/bad-tokens.ts'
import { forged } from '../../attack/forge.ts'
import { FOREIGN_PUBLISHED, fakeClock, openIssuer, openVerifier, PUBLISHED, providerOf, tokenContext } from './issuer.ts'

test('a token with one fault is refused for that fault', async (t) => {
  const issuer = await openIssuer(t)
  issuer.publish(PUBLISHED)
  const other = await openIssuer(t)
  other.publish(FOREIGN_PUBLISHED)
  const clock = fakeClock()
  const providers = [providerOf(issuer.origin), providerOf(other.origin, { name: 'other' })]
  const { verifier } = openVerifier(t, { providers, clock })
  const context = tokenContext(issuer.origin, clock)
  const table = badTokens(context)
  assert.ok(table.length >= 60, `${table.length} bad tokens`)
  assert.equal(new Set(table.map(({ name }) => name)).size, table.length, 'every row has a name of its own')

  for (const key of Object.values(context.keys)) {
    const good = await verifier.verify(forged(key, goodHeader(key), goodClaims(context)))
    assert.equal(good.verified, true, `the good ${key.alg} token must be good, or the rows prove nothing`)
  }
  const remembered = verifier.remembered
  for (const { name, token, reason } of table) {
    await t.test(name, async () => {
      const text = token()
      const verification = await verifier.verify(text)
      assert.ok(!verification.verified, 'it was believed')
      assert.equal(verification.reason, reason)
      assert.match(verification.reason, /^[a-z0-9]+(-[a-z0-9]+)*$/)
      assert.match(verification.credentialId ?? '0'.repeat(64), /^[0-9a-f]{64}$/)
      const again = await verifier.verify(text)
      assert.deepEqual(again, verification, 'and the second time too')
    })
  }
  assert.equal(verifier.remembered, remembered, 'no refused token is remembered')
})
