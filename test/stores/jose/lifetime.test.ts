import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenVerifier } from '../../../src/stores/jose/token-verifier.ts'
import { goodClaims, goodHeader } from '../../attack/bad-tokens.ts'
import { forged } from '../../attack/forge.ts'
import { fakeClock, openIssuer, openVerifier, PUBLISHED, providerOf, tokenContext } from './issuer.ts'

const HOUR = 3_600
const SKEW = 30

/** Life in seconds by `iat` and `exp`, counted from now; `iat` undefined: the token does not say. */
const lives: readonly (readonly [string, number | undefined, number, string])[] = [
  ['as long as may be, the skew on both sides included', 0, HOUR - 2 * SKEW, 'believed'],
  ['one second longer', 0, HOUR - 2 * SKEW + 1, 'lifetime-too-long'],
  ['issued long ago and nearly over', -2 * HOUR, 10, 'lifetime-too-long'],
  ['issued as far in the future as may be', SKEW, SKEW + HOUR - 2 * SKEW, 'believed'],
  ['issued in the far past', -1e9, 10, 'lifetime-too-long'],
  ['issued who knows when, with as long to live', undefined, HOUR - SKEW, 'believed'],
  ['issued who knows when, with longer to live', undefined, HOUR - SKEW + 1, 'lifetime-too-long'],
]

test('a token may not live longer than a revocation is kept', async (t) => {
  const issuer = await openIssuer(t)
  issuer.publish(PUBLISHED)
  const clock = fakeClock()
  const context = tokenContext(issuer.origin, clock)
  const providers = [providerOf(issuer.origin, { clockSkew: SKEW * 1000 })]
  const { keySets, verifier: anyLife } = openVerifier(t, { providers, clock })
  const key = context.keys.EdDSA
  for (const [name, issued, ends, expected] of lives) {
    await t.test(`${name}: ${expected}`, async () => {
      const now = context.now()
      const { iat: _, ...claims } = goodClaims(context)
      const token = forged(key, goodHeader(key), {
        ...claims,
        exp: now + ends,
        ...(issued !== undefined && { iat: now + issued }),
      })
      const verifier = tokenVerifier({ providers, keySets, clock, maxLifetime: HOUR * 1000 })
      const answer = await verifier.verify(token)
      assert.equal(answer.verified ? 'believed' : answer.reason, expected)
      assert.equal((await anyLife.verify(token)).verified, true, 'nothing else is wrong with it')
    })
  }
})
