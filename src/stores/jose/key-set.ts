import type { TokenAlgorithm } from '../../domain/provider.ts'
import type { VerificationKey } from './verification-key.ts'

/**
 * Why a set has no key for a token. `signing-key-unknown`: none of that name, or for that algorithm; `key-unfit`: it has that name but another type, curve or
 * algorithm; `key-undecided`: the token names no key and several would fit.
 */
export type KeyMiss = 'signing-key-unknown' | 'key-unfit' | 'key-undecided'

/** What operators see of a key set. */
export interface KeySetState {
  readonly keyIds: readonly string[]
  /** Milliseconds since the keys were loaded; null: they never were. */
  readonly ageMs: number | null
  /** When a load last ended, well or badly, in milliseconds since the epoch; null: none did. */
  readonly lastFetchAt: number | null
  /** Class of the last load's error; null when it went well. */
  readonly lastError: string | null
}

/** The public keys of one provider. Never shared: a `kid` means something within its issuer only. */
export interface KeySet {
  /** The key for a token's header, a promise only while it must be fetched. Throws `keys-unavailable` when it cannot tell. */
  find(kid: string | null, algorithm: TokenAlgorithm): VerificationKey | KeyMiss | Promise<VerificationKey | KeyMiss>
  /** Whether what this key verified earlier may still be believed without asking `find` again. */
  trusts(key: VerificationKey): boolean
  /** Loads the keys if there are none to be used. Throws `KeyLoadError`. */
  prepare(): Promise<void>
  /** Whether any of the keys could verify a token of one of these algorithms. */
  fits(algorithms: readonly TokenAlgorithm[]): boolean
  state(): KeySetState
  /** Calls back with the `id` of each key that a newer set no longer lists, or lists with another value. */
  whenDropped(listener: (keyId: string) => void): void
  /** Ends timers and fetches. What is asked afterwards is answered from what is there. */
  close(): void
}

/**
 * Picks from a set's keys. Of several keys with one `kid` that fit the algorithm the first is taken and later ones are ignored:
 * a signature is never tried against key after key. A token without `kid` is matched only where exactly one key fits.
 */
export function pickKey(
  keys: readonly VerificationKey[],
  kid: string | null,
  algorithm: TokenAlgorithm,
): VerificationKey | KeyMiss {
  const candidates = kid === null ? keys : keys.filter((key) => key.kid === kid)
  const fitting = candidates.filter((key) => key.algorithms.includes(algorithm))
  const [first] = fitting
  if (first === undefined) return kid !== null && candidates.length > 0 ? 'key-unfit' : 'signing-key-unknown'
  return kid === null && fitting.length > 1 ? 'key-undecided' : first
}
