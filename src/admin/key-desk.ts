import type { Clock } from '../ports/clock.ts'
import type { ApiKeyRecord, CredentialRegistry, CredentialStore } from '../ports/credential-store.ts'
import { keyState } from './key-facts.ts'

/** A hundred years, in milliseconds: beyond it a mistyped unit is likelier than an intention. */
export const LONGEST_LIFETIME = 36_500 * 86_400_000
/** How long a rotated key works on where nobody says otherwise. */
export const DEFAULT_OVERLAP = '24h'

/** What a new key is to be. */
export interface KeyOrder {
  readonly owner: string
  readonly scopes: readonly string[]
  readonly cidrs: readonly string[]
  /** Milliseconds from now, or since the epoch; null: without end. */
  readonly end: { readonly after: number } | { readonly at: number } | null
}

/** A key that was made. `key` is the secret itself: shown once, stored nowhere. */
export interface IssuedKey {
  readonly key: string
  readonly record: ApiKeyRecord
}

/** What became of a rotation. `oldEnd`: milliseconds since the epoch at which the old key ends. */
export type Rotation =
  | ({ readonly done: true; readonly oldEnd: number } & IssuedKey)
  | { readonly done: false; readonly why: 'unknown' | 'revoked' | 'expired' | 'changed-meanwhile' }
  | { readonly done: false; readonly why: 'rotated'; readonly replacedBy: string }

/** What the desk needs. */
export interface KeyDeskParts {
  readonly store: CredentialRegistry & CredentialStore
  readonly clock: Clock
  /** Makes a key of this gateway's environment. */
  readonly mint: () => { readonly id: string; readonly key: string; readonly digest: string }
}

/** What administrators do with API keys, whichever way they come. Fields are checked by whoever asks; `by` is who, for the audit log. */
export interface KeyDesk {
  create(order: KeyOrder, by: string): Promise<IssuedKey>
  list(): Promise<readonly ApiKeyRecord[]>
  find(id: string): Promise<ApiKeyRecord | null>
  /** A key with the same owner, scopes, networks and end. The old one works on for `overlap` milliseconds, never past its own end. */
  rotate(id: string, overlap: number, by: string): Promise<Rotation>
  /** Ends a key for good; the record as it is then, null when there is none. Repeating it changes nothing. */
  revoke(id: string, by: string): Promise<ApiKeyRecord | null>
}

export function keyDesk({ store, clock, mint }: KeyDeskParts): KeyDesk {
  function issue(granted: Pick<ApiKeyRecord, 'owner' | 'scopes' | 'cidrs' | 'createdAt' | 'expiresAt'>): IssuedKey {
    const { id, key, digest } = mint()
    return { key, record: { ...granted, id, digest, revokedAt: null, replacedBy: null } }
  }

  return {
    async create({ owner, scopes, cidrs, end }, by) {
      const now = clock.now()
      const issued = issue({
        owner,
        scopes: [...new Set(scopes)],
        cidrs: [...new Set(cidrs)],
        createdAt: now,
        expiresAt: end === null ? null : 'at' in end ? end.at : now + end.after,
      })
      await store.createApiKey(issued.record, by)
      return issued
    },

    list: () => store.listApiKeys(),
    find: async (id) => store.findApiKey(id),

    async rotate(id, overlap, by) {
      const now = clock.now()
      const old = await store.findApiKey(id)
      if (old === null) return { done: false, why: 'unknown' }
      if (old.replacedBy !== null) return { done: false, why: 'rotated', replacedBy: old.replacedBy }
      const state = keyState(old, now)
      if (state === 'revoked' || state === 'expired') return { done: false, why: state }
      const { owner, scopes, cidrs, expiresAt } = old
      const issued = issue({ owner, scopes, cidrs, createdAt: now, expiresAt })
      const oldEnd = Math.min(now + overlap, expiresAt ?? Number.POSITIVE_INFINITY)
      if (!(await store.rotateApiKey(id, issued.record, oldEnd, by))) return { done: false, why: 'changed-meanwhile' }
      return { done: true, oldEnd, ...issued }
    },

    async revoke(id, by) {
      return (await store.revokeApiKey(id, clock.now(), by)) ? store.findApiKey(id) : null
    },
  }
}
