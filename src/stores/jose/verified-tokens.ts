import type { Verification } from '../../ports/verifier.ts'
import type { KeySet } from './key-set.ts'
import type { VerificationKey } from './verification-key.ts'

/** What is remembered of a token that was verified. */
export interface VerifiedToken {
  readonly verification: Verification
  /** `exp` in seconds, without clock skew: in the time of grace a token is verified anew each time. */
  readonly exp: number
  readonly provider: string
  readonly keySet: KeySet
  readonly key: VerificationKey
}

/** A remembered token in its place between the one used just before it and the one used just after. */
interface Entry extends VerifiedToken {
  readonly digest: string
  older: Entry | null
  newer: Entry | null
}

/**
 * Tokens that were verified, by their SHA-256. Bounded: the one that was not used for the longest time makes room. Only successes are
 * kept, so inventing tokens fills nothing.
 *
 * The digest is the whole key because everything else that a verification depends on is either fixed for the life of the process
 * (issuers, audiences, algorithms, types, skew, claim mapping) or asked at every hit (the time, the key set). If providers ever become
 * changeable at run time, a new configuration needs a new cache.
 *
 * The order of use is a linked list beside the map. Deleting and setting a map's entry to move it to the end would leave a hole each
 * time, through which later look-ups of a busy token have to step: 25 µs at 10,000 entries, measured, where a link costs nothing.
 */
export class VerifiedTokens {
  readonly #capacity: number
  readonly #entries = new Map<string, Entry>()
  #oldest: Entry | null = null
  #newest: Entry | null = null

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  /** What was found out about the token of this digest, unless it has expired or its key is no longer to be believed. `now` in milliseconds. */
  get(digest: string, now: number): Verification | undefined {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return undefined
    const { exp, keySet, key, verification } = entry
    if (now >= exp * 1000 || !keySet.trusts(key)) {
      this.#remove(entry)
      return undefined
    }
    if (entry !== this.#newest) {
      this.#unlink(entry)
      this.#linkNewest(entry)
    }
    return verification
  }

  put(digest: string, token: VerifiedToken, now: number): void {
    if (now >= token.exp * 1000) return
    const known = this.#entries.get(digest)
    if (known !== undefined) this.#remove(known)
    const { verification, exp, provider, keySet, key } = token
    const entry: Entry = { verification, exp, provider, keySet, key, digest, older: null, newer: null }
    this.#entries.set(digest, entry)
    this.#linkNewest(entry)
    if (this.#entries.size > this.#capacity && this.#oldest !== null) this.#remove(this.#oldest)
  }

  /** Drops every token of this provider that a key of this id verified. */
  forgetKey(provider: string, keyId: string): void {
    for (const entry of this.#entries.values()) {
      if (entry.provider === provider && entry.key.id === keyId) this.#remove(entry)
    }
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.digest)
    this.#unlink(entry)
  }

  #unlink(entry: Entry): void {
    if (entry.older === null) this.#oldest = entry.newer
    else entry.older.newer = entry.newer
    if (entry.newer === null) this.#newest = entry.older
    else entry.newer.older = entry.older
  }

  #linkNewest(entry: Entry): void {
    entry.older = this.#newest
    entry.newer = null
    if (this.#newest === null) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
  }
}
