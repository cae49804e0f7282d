import type { Provider } from '../domain/provider.ts'
import { ProviderWatch } from '../http/provider-watch.ts'
import type { Check } from '../http/readiness.ts'
import type { Clock } from '../ports/clock.ts'
import { keySetsOf } from '../stores/jose/key-sets.ts'
import { providerChecks } from '../stores/jose/provider-checks.ts'
import { tokenVerifier } from '../stores/jose/token-verifier.ts'
import type { Metrics } from '../telemetry/metrics.ts'

type TrustMetrics = Pick<Metrics, 'jwksFetch' | 'providerReady' | 'tokenCache'>

/** Everything about the providers: their keys, the verifier over them, and the watch that says whether they are ready. */
export function trustIn(providers: readonly Provider[], clock: Clock, metrics: TrustMetrics, maxLifetime: number) {
  const onFetch = (provider: string, result: 'ok' | 'failed') =>
    metrics.jwksFetch(provider, result === 'ok' ? 'success' : 'failure')
  const keySets = keySetsOf(providers, { clock, onFetch })
  const known = providers.flatMap((provider) => {
    const keySet = keySets.get(provider.name)
    return keySet === undefined ? [] : [{ provider, keySet }]
  })
  const report = (checks: readonly Check[]) => {
    for (const { name } of providers)
      metrics.providerReady(
        name,
        checks.every((check) => check.provider !== name || check.ok),
      )
  }
  const watch = new ProviderWatch(
    known.map(
      ({ provider, keySet }) =>
        () =>
          providerChecks(provider, keySet),
    ),
    report,
  )
  return {
    watch,
    tokens: tokenVerifier({ providers, keySets, clock, maxLifetime, onCache: (result) => metrics.tokenCache(result) }),
    names: providers.map(({ name, plane }) => ({ name, human: !('fixed' in plane) || plane.fixed === 'HUMAN' })),
    diagnostics: () => Object.fromEntries(known.map(({ provider, keySet }) => [provider.name, keySet.state()])),
    close() {
      watch.close()
      for (const { keySet } of known) keySet.close()
    },
  }
}
