import type { Provider } from '../../domain/provider.ts'
import type { Clock } from '../../ports/clock.ts'
import { keyLoader } from './key-loaders.ts'
import type { KeySet } from './key-set.ts'
import { type KeySetTimes, LoadedKeySet } from './loaded-key-set.ts'

export interface KeySetsOptions {
  readonly clock: Clock
  /** A load of this provider's keys ended. */
  readonly onFetch?: (provider: string, result: 'ok' | 'failed') => void
  readonly times?: Partial<KeySetTimes>
}

/**
 * One key set for each provider, by the provider's name. Loads nothing yet: that is for `prepare` or the first token.
 * Throws when two providers have one name: the keys of one would verify the tokens of the other.
 */
export function keySetsOf(
  providers: readonly Provider[],
  { clock, onFetch, times = {} }: KeySetsOptions,
): ReadonlyMap<string, KeySet> {
  const keySets = new Map<string, KeySet>()
  for (const provider of providers) {
    if (keySets.has(provider.name)) throw new Error(`two providers are called ${provider.name}`)
    const report = (result: 'ok' | 'failed') => onFetch?.(provider.name, result)
    keySets.set(provider.name, new LoadedKeySet({ ...keyLoader(provider), clock, onFetch: report, times }))
  }
  return keySets
}
