import type { TokenAlgorithm } from '../../domain/provider.ts'
import type { Clock } from '../../ports/clock.ts'
import { Refusal } from '../../problem/refusal.ts'
import { asKeyLoadError, KeyLoadError } from './key-load-error.ts'
import type { KeyLoader } from './key-loaders.ts'
import { type KeyMiss, type KeySet, type KeySetState, pickKey } from './key-set.ts'
import { UnknownKids } from './unknown-kids.ts'
import type { VerificationKey } from './verification-key.ts'

/** Times of a key set, in milliseconds. */
export interface KeySetTimes {
  /** How long loaded keys are used without a newer load. From half of it on they are renewed, and no request waits for that. */
  readonly lifetime: number
  /** How long the last good keys are used while loads fail, counted from when they were loaded. */
  readonly staleIfError: number
  /** Between two loads that were made because of a `kid` that is not in the set. */
  readonly unknownKidCooldown: number
  /** How long a `kid` that was looked for in vain causes no further load. */
  readonly unknownKidLifetime: number
  /** Before the first attempt after a failure; doubles with each further one up to `maxBackoff`. */
  readonly backoff: number
  readonly maxBackoff: number
  /** For one load, both requests of discovery together. Below 5 s, so that the checks at start, which wait for it, end within 5 s. */
  readonly timeout: number
}

const KEY_SET_TIMES: KeySetTimes = {
  lifetime: 600_000,
  staleIfError: 3_600_000,
  unknownKidCooldown: 30_000,
  unknownKidLifetime: 60_000,
  backoff: 1_000,
  maxBackoff: 30_000,
  timeout: 4_500,
}

export interface LoadedKeySetOptions {
  readonly load: KeyLoader
  /** False: once loaded, the keys stay until the process ends (a file). */
  readonly refreshed: boolean
  readonly clock: Clock
  readonly onFetch?: (result: 'ok' | 'failed') => void
  readonly times?: Partial<KeySetTimes>
}

/**
 * A provider's keys, loaded when first asked for and renewed while the process runs. One load at a time, whoever asks. A load that
 * fails replaces nothing: the last good keys serve on for a bounded time, and attempts back off, so that a sick issuer is not hammered.
 * A load that succeeds replaces everything: a key that it lacks is dropped at once.
 */
export class LoadedKeySet implements KeySet {
  readonly #options: LoadedKeySetOptions
  readonly #times: KeySetTimes
  readonly #clock: Clock
  readonly #unknown: UnknownKids
  readonly #listeners: ((keyId: string) => void)[] = []
  readonly #closing = new AbortController()
  #keys: readonly VerificationKey[] = []
  /** Monotonic; null: never. */
  #loadedAt: number | null = null
  #lastFetchAt: number | null = null
  /** Of the last load; null when it went well. */
  #error: KeyLoadError | null = null
  #failures = 0
  /** Monotonic; after a failure nothing is loaded before. */
  #retryAt = 0
  #flight: Promise<void> | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(options: LoadedKeySetOptions) {
    this.#options = options
    this.#times = { ...KEY_SET_TIMES, ...options.times }
    this.#clock = options.clock
    this.#unknown = new UnknownKids(options.clock, this.#times.unknownKidCooldown, this.#times.unknownKidLifetime)
  }

  find(kid: string | null, algorithm: TokenAlgorithm): VerificationKey | KeyMiss | Promise<VerificationKey | KeyMiss> {
    if (!this.#isUsable()) return this.#findAfterLoad(kid, algorithm)
    const found = pickKey(this.#keys, kid, algorithm)
    return found === 'signing-key-unknown' && this.#options.refreshed ? this.#lookAgain(kid, algorithm) : found
  }

  trusts(key: VerificationKey): boolean {
    return this.#isUsable() && this.#keys.includes(key)
  }

  async prepare(): Promise<void> {
    if (this.#isUsable()) return
    await this.#load()
    if (!this.#isUsable()) throw this.#error ?? new KeyLoadError('closed')
  }

  fits(algorithms: readonly TokenAlgorithm[]): boolean {
    return this.#keys.some((key) => key.algorithms.some((algorithm) => algorithms.includes(algorithm)))
  }

  state(): KeySetState {
    return {
      keyIds: this.#keys.map(({ id }) => id),
      ageMs: this.#loadedAt === null ? null : this.#clock.monotonic() - this.#loadedAt,
      lastFetchAt: this.#lastFetchAt,
      lastError: this.#error?.failure ?? null,
    }
  }

  whenDropped(listener: (keyId: string) => void): void {
    this.#listeners.push(listener)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#closing.abort()
  }

  /** Whether the keys may be used now. Asks for newer ones in passing when they are past half of their lifetime. */
  #isUsable(): boolean {
    if (this.#loadedAt === null) return false
    if (!this.#options.refreshed) return true
    const age = this.#clock.monotonic() - this.#loadedAt
    if (age < this.#times.lifetime / 2) return true
    if (age < this.#times.lifetime || this.#error !== null) void this.#load()
    return age < (this.#error === null ? this.#times.lifetime : Math.max(this.#times.lifetime, this.#times.staleIfError))
  }

  async #findAfterLoad(kid: string | null, algorithm: TokenAlgorithm): Promise<VerificationKey | KeyMiss> {
    await this.#load()
    if (!this.#isUsable()) throw this.#unavailable()
    const found = pickKey(this.#keys, kid, algorithm)
    if (found !== 'signing-key-unknown') return found
    // The key may be new and the load that would have brought it failed: that is not the token's fault.
    if (this.#error !== null) throw this.#unavailable()
    this.#unknown.remember(kid)
    return found
  }

  /** For a `kid` that the usable keys lack: perhaps the issuer has a new key. A flood of invented ones must not reach the issuer. */
  async #lookAgain(kid: string | null, algorithm: TokenAlgorithm): Promise<VerificationKey | KeyMiss> {
    if (this.#flight !== null) {
      await this.#flight
      const found = pickKey(this.#keys, kid, algorithm)
      if (found !== 'signing-key-unknown') return found
    }
    // After a failure the backoff decides whether there is another attempt, not the cooldown.
    if (this.#error === null && this.#flight === null && !this.#unknown.mayLoadFor(kid)) return 'signing-key-unknown'
    return this.#findAfterLoad(kid, algorithm)
  }

  #unavailable(): Refusal {
    return new Refusal('keys-unavailable', `keys-${this.#error?.failure ?? 'closed'}`, { cause: this.#error })
  }

  /** One load, shared by all who want one at the same time. Never rejects: what went wrong is in `#error`. */
  #load(): Promise<void> {
    if (this.#flight !== null) return this.#flight
    if (this.#closing.signal.aborted || (this.#error !== null && this.#clock.monotonic() < this.#retryAt))
      return Promise.resolve()
    this.#flight = this.#attempt().finally(() => {
      this.#flight = null
      this.#schedule()
    })
    return this.#flight
  }

  async #attempt(): Promise<void> {
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(this.#times.timeout), this.#closing.signal])
      this.#replace(await this.#options.load(signal))
      this.#error = null
      this.#failures = 0
    } catch (error) {
      this.#error = asKeyLoadError(error)
      this.#retryAt = this.#clock.monotonic() + Math.min(this.#times.backoff * 2 ** this.#failures, this.#times.maxBackoff)
      this.#failures += 1
    }
    this.#lastFetchAt = this.#clock.now()
    this.#options.onFetch?.(this.#error === null ? 'ok' : 'failed')
  }

  /** Keys that are listed again stay the same objects, so that what they verified stays believed. */
  #replace(loaded: readonly VerificationKey[]): void {
    const before = new Map(this.#keys.map((key) => [key.fingerprint, key]))
    this.#keys = loaded.map((key) => before.get(key.fingerprint) ?? key)
    this.#loadedAt = this.#clock.monotonic()
    for (const key of before.values()) {
      if (this.#keys.includes(key)) continue
      for (const listener of this.#listeners) listener(key.id)
    }
  }

  /** Renews without being asked, so that a dropped key and an issuer's recovery are seen without traffic. */
  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#closing.signal.aborted || (this.#error === null && !this.#options.refreshed)) return
    const delay = this.#error === null ? this.#times.lifetime / 2 : Math.max(this.#retryAt - this.#clock.monotonic(), 0)
    this.#timer = setTimeout(() => {
      void this.#load()
      if (this.#flight === null) this.#schedule()
    }, delay + 1).unref()
  }
}
