import type { Provider } from '../../domain/provider.ts'
import { isAcceptableAddress } from './bounded-fetch.ts'
import { asKeyLoadError, type KeyLoadError } from './key-load-error.ts'
import type { KeySet } from './key-set.ts'

export type ProviderCheckName = 'issuer' | 'audience' | 'algorithms' | 'jwks_source' | 'jwks_reachable' | 'jwks_usable_key'

/** One thing that must hold before a provider's tokens can be verified. `detail` is for operators and holds no secret. */
export interface ProviderCheck {
  readonly name: ProviderCheckName
  readonly provider: string
  readonly ok: boolean
  readonly detail: string
}

/**
 * Whether a provider's tokens can be verified now, check by check. Loads the keys if there are none, so it takes as long as one load
 * (below 5 s); while a failed load backs off it answers at once with the failure.
 */
export async function providerChecks(provider: Provider, keySet: KeySet): Promise<readonly ProviderCheck[]> {
  const failure = await keySet.prepare().then(
    () => null,
    (error: unknown) => asKeyLoadError(error),
  )
  const check = (name: ProviderCheckName, ok: boolean, right: string, wrong: string): ProviderCheck => {
    return { name, provider: provider.name, ok, detail: ok ? right : wrong }
  }
  const mismatch = failure?.failure === 'issuer-mismatch'
  const issuerFault = mismatch
    ? 'the metadata names another issuer'
    : 'the issuer must be an https URL without password, or http on this machine'
  return [
    check('issuer', !mismatch && isAcceptableAddress(provider.issuer), provider.issuer, issuerFault),
    check('audience', isFilled(provider.audiences), provider.audiences.join(', '), 'there is no audience'),
    check('algorithms', isFilled(provider.algorithms), provider.algorithms.join(', '), 'there is no algorithm'),
    check('jwks_source', isSourceSound(provider, failure), describeSource(provider), sourceFault(provider)),
    check('jwks_reachable', failure === null, describeKeys(keySet), describeFailure(failure)),
    check('jwks_usable_key', keySet.fits(provider.algorithms), describeKeys(keySet), 'no key fits one of the algorithms'),
  ]
}

function isFilled(values: readonly string[]): boolean {
  return values.length > 0 && values.every((value) => value !== '')
}

/** Where the keys come from: wrong by its address, a file's mistakes, or metadata that leads nowhere; not by being out of reach. */
function isSourceSound({ keys, issuer }: Provider, failure: KeyLoadError | null): boolean {
  if (keys.from === 'url' && !isAcceptableAddress(keys.url)) return false
  if (keys.from === 'discovery' && !isAcceptableAddress(issuer)) return false
  return failure === null || !['address-refused', 'issuer-mismatch', 'file-faulty', 'not-a-key-set'].includes(failure.failure)
}

function describeSource({ keys, issuer }: Provider): string {
  if (keys.from === 'url') return keys.url
  return keys.from === 'file' ? keys.path : `metadata of ${issuer}`
}

/** An address that is refused is not repeated: it may hold a password. */
function sourceFault({ keys }: Provider): string {
  if (keys.from === 'file') return `the key set ${keys.path} has mistakes`
  return 'the address of the key set must be an https URL without password, or http on this machine, and give a key set'
}

function describeKeys(keySet: KeySet): string {
  const { keyIds, ageMs, lastError } = keySet.state()
  const age = `${keyIds.length} keys, ${Math.round((ageMs ?? 0) / 1000)} s old`
  return lastError === null ? age : `${age}, the last load failed: ${lastError}`
}

function describeFailure(failure: KeyLoadError | null): string {
  if (failure === null) return 'loaded'
  return failure.status === null ? failure.message : `${failure.message} ${failure.status}`
}
